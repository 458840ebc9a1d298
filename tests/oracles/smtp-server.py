"""A mail server (aiosmtpd). Prints one JSON object a line: {"ready": port} first, then each mail as it came in.

What it answers to the end of a mail is read from standard input, one command a line:
  accept                 take every mail (how it begins)
  refuse CODE TEXT       refuse every mail with that answer
  refuse-next N CODE TEXT   refuse so many, then take
  hang                   say nothing
Usage: smtp-server.py PORT [CERTIFICATE KEY [USER PASSWORD]]
"""
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    answer = "accept"

    # .NET writes the mechanism in small letters, which aiosmtpd takes for another one.
    async def auth_login(self, server, args):
        return await server.auth_LOGIN(server, args)

    async def handle_DATA(self, server, session, envelope):
        verb, _, rest = self.answer.partition(" ")
        if verb == "hang":
            await asyncio.sleep(3600)
        if verb == "refuse-next":
            left, _, reply = rest.partition(" ")
            Handler.answer = f"refuse-next {int(left) - 1} {reply}" if int(left) > 1 else "accept"
            say({"refused": reply})
            return reply
        if verb == "refuse":
            say({"refused": rest})
            return rest
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "user": getattr(session, "auth_data", None) and session.auth_data.login.decode(),
            "headers": [[name, str(value)] for name, value in message.items()],
            "raw": envelope.content.decode("ascii", "replace"),
            "subject": str(message["Subject"]),
            "messageId": str(message["Message-ID"]),
            "text": message.get_body(("plain",)).get_content(),
            "html": message.get_body(("html",)).get_content(),
        })
        return "250 taken"


def say(value):
    print(json.dumps(value), flush=True)


async def main(port, certificate=None, key=None, user=None, password=None):
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)

    def authenticate(server, session, envelope, mechanism, data):
        right = data.login.decode() == user and data.password.decode() == password
        return AuthResult(success=right, handled=False, auth_data=data)

    def make():
        return SMTP(
            Handler(), hostname="mail.test", tls_context=context, require_starttls=context is not None,
            auth_required=user is not None, authenticator=authenticate if user else None, loop=loop)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", int(port))
    say({"ready": int(port)})
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        Handler.answer = line.decode().strip()
        say({"answer": Handler.answer})
    server.close()


asyncio.run(main(*sys.argv[1:]))
