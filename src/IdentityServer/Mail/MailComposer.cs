using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using IdentityServer.Layout;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Clients;
using IdentityServer.Resources;
using IdentityServer.Storage.Mail;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Mail;

/// <summary>
/// Makes the row of a mail; whoever calls stores it, in the transaction of the deed that the mail tells of, and rings the
/// <see cref="MailBell"/> after the commit.
/// </summary>
public sealed class MailComposer
{
    private const int LongestValue = 100;

    // Letters of every script as they are; what is markup is escaped.
    private static readonly HtmlEncoder Html = HtmlEncoder.Create(UnicodeRanges.All);

    private readonly MailRoute _route;
    private readonly MailSeal _seal;
    private readonly Brand _brand;
    private readonly ProtocolOptions _options;
    private readonly IStringLocalizer<Texts> _texts;
    private readonly TimeProvider _clock;

    internal MailComposer(
        MailRoute route, MailSeal seal, Brand brand, ProtocolOptions options, IStringLocalizer<Texts> texts, TimeProvider clock)
    {
        (_route, _seal, _brand, _options, _texts, _clock) = (route, seal, brand, options, texts, clock);
    }

    /// <summary>The row; <see langword="null"/> when there is nobody to write to, or no way to send it.</summary>
    /// <param name="kind">Which mail.</param>
    /// <param name="to">The person; <see langword="null"/>: they have no proven address.</param>
    /// <param name="values">What it tells.</param>
    public OutboxMail? Compose(MailKind kind, MailRecipient? to, MailValues values)
    {
        if (!_route.IsOn || to is null || !MailAddresses.IsPossible(to.Email))
        {
            return null;
        }

        var id = Handle.NewId();
        var now = _clock.GetUtcNow();
        return new OutboxMail
        {
            Id = id,
            Subject = to.Subject,
            Kind = kind.Name,
            Sealed = _seal.Seal(id, Write(kind, to, values)),
            CreatedAt = now,
            NextAttemptAt = now,
        };
    }

    /// <summary>In the person's own language, or in that of the page they are looking at.</summary>
    internal Letter Write(MailKind kind, MailRecipient to, MailValues values)
    {
        var language = UiLanguage.Match([to.Locale ?? ""]) ?? UiLanguage.Current;
        var before = CultureInfo.CurrentUICulture;
        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(language.Tag);
        try
        {
            return Write(kind, to, values, language);
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }

    private Letter Write(MailKind kind, MailRecipient to, MailValues values, UiLanguage language)
    {
        var body = new Body();
        body.Paragraph(Clean(to.Name) is { } name ? Text("Mail_Hello", name) : Text("Mail_HelloNobody"));
        body.Paragraph(Text(kind.Text, Clean(to.Email)!, values.Left ?? 0));
        body.Facts(Text("Mail_Fact", "{0}", "{1}"), Facts(values));
        if (kind.Button is { } button && values.Link is { } link)
        {
            body.Button(Text(button), link);
            if (Lifetime(values) is { } lifetime)
            {
                body.Paragraph(lifetime);
            }
        }

        body.Paragraph(Text(kind.Ending, $"{_options.Issuer}/forgot-password"));
        body.Paragraph(Text("Mail_From", _brand.Name, _options.Issuer));
        var subject = $"{Text(kind.Subject)} · {_brand.Name}";
        return new Letter(to.Email, subject, body.Plain, body.Markup(language.Tag, subject));
    }

    private IEnumerable<(string Name, string Value)> Facts(MailValues values)
    {
        if (values.Change is { } change)
        {
            yield return (Text("Mail_What"), Text(KeyOf(change)));
        }

        if (values.At is { } at)
        {
            yield return (Text("Mail_When"), string.Create(CultureInfo.InvariantCulture, $"{at.UtcDateTime:yyyy-MM-dd HH:mm} UTC"));
        }

        foreach (var (key, value) in new[] { ("Mail_Device", values.Device), ("Mail_Place", values.Place), ("Mail_App", values.App) })
        {
            if (Clean(value) is { } known)
            {
                yield return (Text(key), known);
            }
        }
    }

    private string? Lifetime(MailValues values) => values.LinkLifetime switch
    {
        null => null,
        { TotalDays: >= 1 } days => Text("Mail_LinkDays", (int)days.TotalDays),
        { } minutes when values.IsForSameBrowser => Text("Mail_LinkHere", (int)minutes.TotalMinutes),
        { } minutes => Text("Mail_LinkMinutes", (int)minutes.TotalMinutes),
    };

    private string Text(string key, params object[] values) => _texts[key, values];

    /// <summary>One line that cannot pass for more than a value, or nothing.</summary>
    private static string? Clean(string? value) =>
        string.IsNullOrWhiteSpace(value) ? null : value.Length <= LongestValue ? Identifiers.Shown(value.Trim()) : Identifiers.Shown(value[..LongestValue].Trim()) + "…";

    private static string KeyOf(FactorChange change) => change switch
    {
        FactorChange.AuthenticatorAdded => "Mail_AuthenticatorAdded",
        FactorChange.AuthenticatorRemoved => "Mail_AuthenticatorRemoved",
        FactorChange.PasskeyAdded => "Mail_PasskeyAdded",
        FactorChange.PasskeyRemoved => "Mail_PasskeyRemoved",
        FactorChange.RecoveryCodesMade => "Mail_RecoveryCodesMade",
        FactorChange.SecondFactorRequired => "Mail_SecondFactorRequired",
        _ => "Mail_SecondFactorNotRequired",
    };

    /// <summary>Both parts of a mail, line by line: what the one says the other says too.</summary>
    private sealed class Body
    {
        private readonly StringBuilder _plain = new();
        private readonly StringBuilder _markup = new();

        public string Plain => _plain.ToString().TrimEnd() + "\r\n";

        public void Paragraph(string text)
        {
            _plain.Append(text).Append("\r\n\r\n");
            _markup.Append("<p>").Append(Html.Encode(text)).Append("</p>\r\n");
        }

        public void Facts(string form, IEnumerable<(string Name, string Value)> facts)
        {
            var any = false;
            foreach (var (name, value) in facts)
            {
                _plain.Append(Fill(form, name, value)).Append("\r\n");
                _markup.Append(any ? "<br>" : "<p>").Append(Fill(Html.Encode(form), Html.Encode(name), $"<b>{Html.Encode(value)}</b>")).Append("\r\n");
                any = true;
            }

            if (any)
            {
                _plain.Append("\r\n");
                _markup.Append("</p>\r\n");
            }
        }

        public void Button(string text, string link)
        {
            _plain.Append(text).Append("\r\n").Append(link).Append("\r\n\r\n");
            _markup.Append("<p><a href=\"").Append(Html.Encode(link)).Append("\" style=\"display:inline-block;padding:.6em 1.2em;")
                .Append("background:#14315c;color:#fff;text-decoration:none\">").Append(Html.Encode(text)).Append("</a></p>\r\n");
        }

        public string Markup(string language, string title) =>
            $"""
            <!doctype html>
            <html lang="{language}"><head><meta charset="utf-8"><title>{Html.Encode(title)}</title></head>
            <body style="font-family:sans-serif;line-height:1.5;max-width:36em">
            {_markup}</body></html>
            """.ReplaceLineEndings("\r\n") + "\r\n";

        // In one pass: a value that looks like a place to fill stays what it is.
        private static string Fill(string form, string name, string value) =>
            string.Create(CultureInfo.InvariantCulture, $"{form[..form.IndexOf("{0}", StringComparison.Ordinal)]}{name}{Between(form)}{value}{form[(form.IndexOf("{1}", StringComparison.Ordinal) + 3)..]}");

        private static string Between(string form) =>
            form[(form.IndexOf("{0}", StringComparison.Ordinal) + 3)..form.IndexOf("{1}", StringComparison.Ordinal)];
    }
}
