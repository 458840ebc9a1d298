#!/usr/bin/env python3
"""Takes out one check after the other and runs the table of docs/revocation.md against what is left (MatrixOnSqlite).

Works on a copy of the checkout, so nothing here is changed. Prints, for each check, the rows of the table that turn red; ends with 1 when one
turns none red: that check would not be missed. Needs what tests/run.sh needs, and half a minute for each check.

Usage: tests/mutate.py [PART-OF-A-NAME...]
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = "src/IdentityServer.Protocol/Revocations/RevocationList.cs"
READER = "src/IdentityServer.Protocol/Issuance/AccessTokenReader.cs"
CUTOFFS = "src/IdentityServer.Storage/Revocations/Cutoffs.cs"
STORE = "src/IdentityServer.Storage/Revocations/RevocationStore.cs"
API = "src/IdentityServer.ResourceServer/Revocations/EndedTokens.cs"

# What is checked, where, the text as it stands, and without the check.
MUTATIONS = [
    ("memory: the grant of a JWT", LIST,
     "_ended.ContainsKey(KeyOf(RevocationKind.Grant, token.GrantId))", "false"),
    ("memory: the session of a JWT", LIST,
     "_ended.ContainsKey(KeyOf(RevocationKind.Session, token.SessionId))", "false"),
    ("memory: the cutoff of a person", LIST,
     "IsCut(RevocationKind.Subject, token.Subject, token)", "false"),
    ("memory: the cutoff of a client", LIST,
     "IsCut(RevocationKind.Client, token.ClientId, token)", "false"),
    ("memory: the cutoff of everybody", LIST,
     "IsCut(RevocationKind.Everything, Revocation.Everyone, token)", "false"),
    ("memory: a cutoff spares what is younger", LIST,
     "&& token.Epoch < cutoff.Epoch\n", "&& token.Epoch <= cutoff.Epoch\n"),
    ("a JWT is looked up at all", READER,
     "if (revocations.IsEnded(token))", "if (false)"),
    ("a JWT that was seen before still has its key", READER,
     "return published.ContainsKey(known.Kid) ? known.Token : null;", "return known.Token;"),
    ("database: the cutoff of a person, for grants", CUTOFFS,
     '(c."Kind" = 3 AND c."Key" = {grant}."Subject")', '(1 = 0)'),
    ("database: the cutoff of a client, for grants", CUTOFFS,
     '(c."Kind" = 4 AND c."Key" = {grant}."ClientId")', '(1 = 0)'),
    ("database: the cutoff of everybody, for grants", CUTOFFS,
     '(c."Kind" = 4 AND c."Key" = {grant}."ClientId") OR (c."Kind" = 5 AND c."Key" = \'*\')',
     '(c."Kind" = 4 AND c."Key" = {grant}."ClientId")'),
    ("database: the cutoff of a person, for sessions", CUTOFFS,
     '(c."Kind" = 3 AND c."Key" = {session}."Subject")', '(1 = 0)'),
    ("leaving one app leaves offline access", STORE,
     "grants.Where(grant => !grant.IsOffline), session, ct)", "grants, session, ct)"),
    ("a refresh token that comes twice ends its grant", "src/IdentityServer.Protocol/Token/RefreshTokenGrant.cs",
     "await revoker.EndReusedGrantAsync(", "if (now.Year < 0) await revoker.EndReusedGrantAsync("),
    ("a code that comes twice ends its grant", "src/IdentityServer.Protocol/Token/AuthorizationCodeGrant.cs",
     "await revoker.EndReusedGrantAsync(", "if (clock.GetUtcNow().Year < 0) await revoker.EndReusedGrantAsync("),
    ("an API: the grant", API, 'Holds("grant", token.GrantId)', "false"),
    ("an API: the session", API, 'Holds("session", token.SessionId)', "false"),
    ("an API: the key", API, 'Holds("key", token.KeyId)', "false"),
    ("an API: the cutoff of a person", API, 'IsCutOff("subject", token.Subject, token)', "false"),
    ("an API: the cutoff of a client", API, 'IsCutOff("client", token.ClientId, token)', "false"),
    ("an API: the cutoff of everybody", API, 'IsCutOff(Everything, "", token)', "false"),
]


def build(copy):
    return subprocess.run(
        ["dotnet", "build", "tests/IdentityServer.ProtocolTests", "-c", "Release", "-v", "quiet", "-p:TreatWarningsAsErrors=false"],
        cwd=copy, env={**os.environ, "RunAnalyzers": "false"}, capture_output=True, text=True, check=False)


def red_rows(copy, report):
    subprocess.run(
        ["dotnet", "tests/IdentityServer.ProtocolTests/bin/Release/net10.0/IdentityServer.ProtocolTests.dll",
         "-noLogo", "-noColor", "-class", "*MatrixOnSqlite", "-ctrf", report],
        cwd=copy, stdout=subprocess.DEVNULL, check=False, timeout=600)
    with open(report, encoding="utf-8") as file:
        tests = json.load(file)["results"]["tests"]
    assert len(tests) > 10, "The matrix did not run."
    return [re.sub(r'^.*what: "?|"?\)$', "", test["name"].replace('\\"', '"')) for test in tests if test["status"] == "failed"]


def main():
    wanted = [each for each in MUTATIONS if not sys.argv[1:] or any(part in each[0] for part in sys.argv[1:])]
    with tempfile.TemporaryDirectory(prefix="identityserver-mutants-") as copy:
        files = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in filter(None, files.stdout.split("\0")):
            if (ROOT / name).is_file():
                (pathlib.Path(copy) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, pathlib.Path(copy) / name)
        report = os.path.join(copy, "report.json")
        assert build(copy).returncode == 0, "It does not build as it is."
        assert not (red := red_rows(copy, report)), f"Red as it is: {red}"
        missed = 0
        for name, file, old, new in wanted:
            path = pathlib.Path(copy) / file
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{name}: {old!r} is there {text.count(old)} times in {file}."
            path.write_text(text.replace(old, new), encoding="utf-8")
            built = build(copy)
            assert built.returncode == 0, f"{name}:\n{built.stdout[-2000:]}"
            red = red_rows(copy, report)
            path.write_text(text, encoding="utf-8")
            missed += not red
            print(f"{'red  ' if red else 'GREEN'}  {name}: {', '.join(red) or 'nothing notices'}", flush=True)
    print(f"{len(wanted) - missed} of {len(wanted)} checks are missed when they are gone")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
