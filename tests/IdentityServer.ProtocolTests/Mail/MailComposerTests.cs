using System.Globalization;
using AngleSharp.Html.Parser;
using IdentityServer.Mail;
using IdentityServer.Storage.Users;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Mail;

/// <summary>What mails say, and that nothing in them can be made to say more.</summary>
public sealed class MailComposerTests(MailingServer mailing) : IClassFixture<MailingServer>
{
    private const string Link = "https://id.example/page?code=abc-DEF_123&ui_locales=en";

    private static readonly MailValues _everything = new()
    {
        Link = Link,
        LinkLifetime = MailKind.LinkLifetime,
        At = new(2026, 3, 1, 14, 20, 0, TimeSpan.Zero),
        Device = "Firefox on Linux",
        Place = "Beijing, China",
        App = "Northwind Orders",
        Change = FactorChange.PasskeyAdded,
        Left = 3,
    };

    public static TheoryData<string, string> All =>
        new(MailKind.All.SelectMany(kind => new[] { (kind.Name, "en"), (kind.Name, "zh-CN") }));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ServerFixture Server => mailing.Server;

    private MailComposer Composer => Server.Services.GetRequiredService<MailComposer>();

    [Theory]
    [MemberData(nameof(All))]
    public async Task Every_mail_says_the_same_in_text_and_markup_and_arrives_as_written(string name, string locale)
    {
        var kind = MailKind.Named(name)!;
        var to = new MailRecipient($"{Protocol.Handle.NewId()}@example.com".ToLowerInvariant().Replace('_', 'x'), "sub", "Álice 爱丽丝", locale);
        var letter = Composer.Write(kind, to, _everything);

        var mail = await SendAsync(kind, to, _everything);

        Assert.Equal(letter.Subject, mail.Subject);
        Assert.Equal(letter.Text.ReplaceLineEndings("\n").Trim(), mail.Text.ReplaceLineEndings("\n").Trim());
        var page = new HtmlParser().ParseDocument(mail.Html);
        Assert.Equal(locale == "en" ? "en" : "zh-Hans", page.DocumentElement.GetAttribute("lang"));
        Assert.Equal(Words(letter.Text.Replace(Link, "", StringComparison.Ordinal)), Words(page.Body!.TextContent));
        Assert.Equal(kind.Button is null ? [] : [Link], page.Links.Select(link => link.GetAttribute("href")!));
        Assert.Equal(kind.Button is not null, mail.Text.Contains(Link, StringComparison.Ordinal));
        Assert.Empty(page.QuerySelectorAll("img, script, link, style, iframe, form"));
        Assert.Contains("Álice 爱丽丝", mail.Text, StringComparison.Ordinal);
        Assert.Equal(locale != "en", mail.Text.Contains('您', StringComparison.Ordinal));
        Assert.DoesNotContain('{', mail.Text);
        Assert.All(["2026-03-01 14:20 UTC", "Firefox on Linux", "Beijing, China", "Northwind Orders"], part =>
            Assert.Contains(part, mail.Text, StringComparison.Ordinal));
        Assert.Contains(("Auto-Submitted", "auto-generated"), mail.Headers);
        Assert.All(mail.Raw.Split('\n'), line => Assert.InRange(line.Length, 0, 999));
        Assert.All(mail.Raw, character => Assert.True(character < 128));
    }

    [Theory]
    [InlineData("Alice\r\nBcc: mallory@example.com")]
    [InlineData("Alice\nSubject: You have won\n\nClick here")]
    [InlineData("Alice\r\n.\r\nMAIL FROM:<mallory@example.com>\r\n")]
    [InlineData("\"; Bcc: mallory@example.com")]
    [InlineData("=?utf-8?q?x=0D=0ABcc:_mallory@example.com?=")]
    [InlineData("<b>Alice</b><script>alert(1)</script><a href=\"https://evil.example\">")]
    [InlineData("{0} {1} {9} {x")]
    [InlineData("Alice\u202eevil\u2066\0")]
    [InlineData("\ud800")]
    public async Task A_name_is_a_name_whatever_stands_in_it(string name)
    {
        var kind = MailKind.NewSignIn;
        var to = new MailRecipient($"n{Protocol.Handle.NewId().ToLowerInvariant().Replace('_', 'x')}@example.com", "sub", name, "en");
        var values = _everything with { Device = name, Place = name, App = name };
        var plain = await SendAsync(kind, to with { Name = "Alice", Email = "p" + to.Email }, _everything);

        var mail = await SendAsync(kind, to, values);

        Assert.Equal(to.Email, mail.To);
        Assert.Equal(plain.Headers.Select(header => header.Name), mail.Headers.Select(header => header.Name));
        Assert.Equal(plain.Subject, mail.Subject);
        Assert.DoesNotContain("mallory", mail.Raw, StringComparison.Ordinal);
        var page = new HtmlParser().ParseDocument(mail.Html);
        Assert.Equal([Link], page.Links.Select(link => link.GetAttribute("href")!));
        Assert.Empty(page.QuerySelectorAll("script"));
        Assert.Equal(plain.Text.ReplaceLineEndings("\n").Count(letter => letter == '\n'), mail.Text.ReplaceLineEndings("\n").Count(letter => letter == '\n'));
    }

    [Theory]
    [InlineData("alice@example.com\r\nBcc: mallory@example.com")]
    [InlineData("alice@example.com, mallory@example.com")]
    [InlineData("Alice <alice@example.com>")]
    [InlineData("alice@example.com>\0")]
    [InlineData("alice@")]
    [InlineData("alice@example.com(comment)")]
    [InlineData("")]
    public void What_is_not_one_address_gets_no_mail(string address) =>
        Assert.Null(Composer.Compose(MailKind.Registration, MailRecipient.Stranger(address), _everything));

    [Fact]
    public void Mail_goes_to_addresses_that_are_proven()
    {
        Assert.Null(MailRecipient.Of(new User("alice") { Email = "alice@example.com" }));
        Assert.Null(MailRecipient.Of(new User("alice") { EmailConfirmed = true }));
        Assert.NotNull(MailRecipient.Of(new User("alice") { Email = "alice@example.com", EmailConfirmed = true }));
        Assert.Null(Composer.Compose(MailKind.PasswordReset, to: null, _everything));
    }

    [Theory]
    [InlineData("zh-Hans-CN", "en", "设置新密码 · IdentityServer")]
    [InlineData("en-AU", "zh-Hans", "Choose a new password · IdentityServer")]
    [InlineData(null, "zh-Hans", "设置新密码 · IdentityServer")]
    [InlineData("tlh", "en", "Choose a new password · IdentityServer")]
    public void The_language_is_the_person_s_or_the_page_s(string? locale, string page, string subject)
    {
        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(page);

        var letter = Composer.Write(MailKind.PasswordReset, new("a@example.com", null, null, locale), _everything);

        Assert.Equal(subject, letter.Subject);
        Assert.Equal(page, CultureInfo.CurrentUICulture.Name);
    }

    [Fact]
    public void Nothing_prints_an_address_or_a_link_by_accident()
    {
        var to = new MailRecipient("alice@example.com", "sub", "Alice", "en");
        var letter = Composer.Write(MailKind.PasswordReset, to, _everything);

        Assert.All([to.ToString(), letter.ToString(), _everything.ToString()], text =>
        {
            Assert.DoesNotContain("alice@", text, StringComparison.Ordinal);
            Assert.DoesNotContain("abc-DEF", text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void What_a_mail_server_said_is_kept_without_addresses() => Assert.Equal(
        "550: 5.1.1 <[address]>: rejected for [address], (see [address]) at 10:30:01",
        MailAddresses.Without("550: 5.1.1 <alice+x@example.com>: rejected for ålice@bücher.example, (see bob@[10.0.0.1]) at 10:30:01"));

    private async Task<ReceivedMail> SendAsync(MailKind kind, MailRecipient to, MailValues values)
    {
        await Server.Services.GetRequiredService<Storage.Mail.IOutbox>().AddAsync(Composer.Compose(kind, to, values)!, Ct);
        Server.Services.GetRequiredService<MailBell>().Ring();
        return await mailing.Mails.ReceiveAsync(to.Email, Ct);
    }

    private static string Words(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
