using AngleSharp.Html.Dom;
using IdentityServer.Protocol.Audit;
using IdentityServer.ProtocolTests.Mail;
using IdentityServer.Storage;
using IdentityServer.Storage.Users;
using IdentityServer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Recovery;

/// <summary>A server that mails, its mail server, and the pages of mailed links. Limits of an hour begin anew for each test.</summary>
public abstract class RecoveryTest : IAsyncLifetime
{
    protected const string NewPassword = "seven marble teapots whistling";

    private readonly MailingServer _mailing;

    protected RecoveryTest(MailingServer mailing)
    {
        _mailing = mailing;
        Server.Clock.Advance(TimeSpan.FromHours(3));
    }

    /// <summary>The mails of the test before are none of this one's.</summary>
    public async ValueTask InitializeAsync()
    {
        await using var db = await Server.Services.GetRequiredService<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        for (var tries = 0; tries < 500 && await db.OutboxMails.AnyAsync(mail => mail.SentAt == null && mail.DeadAt == null, Ct); tries++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), Ct);
        }

        Mails.TakeRest();
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected ServerFixture Server => _mailing.Server;

    protected RelyingParty App => _mailing.App;

    protected MailServer Mails => _mailing.Mails;

    protected Browser NewBrowser() => new(Server.Http);

    /// <summary>Somebody of this test's own, with a proven address.</summary>
    protected async Task<(Person Person, string Email)> AddPersonAsync()
    {
        var person = await Server.AddPersonAsync($"p{Guid.NewGuid():N}"[..12], Ct);
        return (person, $"{person.UserName}@example.com");
    }

    protected Task<Page> OpenAsync(Browser browser, string path) => browser.OpenAsync(new Uri(Server.Address, path), Ct);

    /// <summary>Types a name into the page for forgotten passwords.</summary>
    protected async Task<Page> ForgetAsync(Browser browser, string typed, string what = "reset", string path = "/forgot-password")
    {
        var page = await OpenAsync(browser, path);
        var form = page.Forms.Single();
        var button = Browser.Buttons(form).Single(button => button.GetAttribute("value") == what);
        return await browser.SubmitAsync(page, form, Answers(("username", typed)), button, Ct);
    }

    /// <summary>Opens a mailed link and presses its button.</summary>
    protected static async Task<Page> FollowAsync(Browser browser, Uri link, params (string Name, string? Value)[] answers)
    {
        var page = await browser.OpenAsync(link, Ct);
        return page.Forms.Any() ? await browser.SubmitAsync(page, page.Forms.Single(), Answers(answers), null, Ct) : page;
    }

    /// <summary>The link in the next mail to the address that has one; others, such as notices, are dropped.</summary>
    protected async Task<Uri> MailedLinkAsync(string email, string path)
    {
        while (true)
        {
            var mail = await Mails.ReceiveAsync(email, Ct);
            if (mail.Text.Contains($"{path}?code=", StringComparison.Ordinal))
            {
                return mail.LinkTo(path);
            }
        }
    }

    /// <summary>The next mail to the address with that subject; others are dropped.</summary>
    protected async Task<ReceivedMail> MailAsync(string email, string subject)
    {
        while (true)
        {
            var mail = await Mails.ReceiveAsync(email, Ct);
            if (mail.Subject == $"{subject} · IdentityServer")
            {
                return mail;
            }
        }
    }

    protected async Task<bool> CanSignInAsync(Person person)
    {
        var browser = NewBrowser();
        var page = await browser.SignInAsync(await OpenAsync(browser, "/login"), person, Ct);
        return page.Address.AbsolutePath == "/" && browser.Cookies.Value("identity.session") is not null;
    }

    protected async Task<User> UserAsync(string userName)
    {
        await using var db = await Server.Services.GetRequiredService<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        return await db.Users.AsNoTracking().SingleAsync(user => user.UserName == userName, Ct);
    }

    /// <summary>How many mails were ever written to somebody.</summary>
    protected async Task<int> CountMailsAsync(string subject)
    {
        await using var db = await Server.Services.GetRequiredService<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        return await db.OutboxMails.CountAsync(mail => mail.Subject == subject, Ct);
    }

    protected async Task ChangeAsync(string userName, Action<User> change)
    {
        await using var db = await Server.Services.GetRequiredService<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        change(await db.Users.SingleAsync(user => user.UserName == userName, Ct));
        await db.SaveChangesAsync(Ct);
    }

    protected async Task<IReadOnlyList<AuditEvent>> AuditOfAsync(string subject) =>
        [.. (await Server.Services.GetRequiredService<IAuditLog>().LatestAsync(1000, Ct)).Where(audit => audit.Subject == subject)];

    /// <summary>The page without what differs for every visitor.</summary>
    protected static string Words(Page page) => string.Join(
        ' ', page.Document.Body!.TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    protected static void AssertRefused(Page page, string heading)
    {
        Assert.Equal(400, (int)page.Status);
        Assert.Equal(heading, page.Document.QuerySelector("h1")!.TextContent);
    }

    protected static IReadOnlyDictionary<string, string?> Answers(params (string Name, string? Value)[] answers) =>
        answers.ToDictionary(answer => answer.Name, answer => answer.Value, StringComparer.Ordinal);

    protected static IHtmlFormElement FormOf(Page page) => page.Forms.Single();
}
