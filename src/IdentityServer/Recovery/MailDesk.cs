using System.Globalization;
using System.Threading.Channels;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Users;
using IdentityServer.Throttling;

namespace IdentityServer.Recovery;

/// <summary>
/// Takes requests for links and sees to them after the page was answered: the answer takes as long whether there is an account or not,
/// because nobody has looked yet. What a node that dies had not seen to is asked for again.
/// </summary>
public sealed partial class MailDesk : BackgroundService
{
    private const int Longest = 1000;

    private readonly Channel<LinkRequest> _requests = Channel.CreateBounded<LinkRequest>(
        new BoundedChannelOptions(Longest) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private readonly ICredentials _credentials;
    private readonly IMailLinks _links;
    private readonly IOutbox _outbox;
    private readonly MailComposer _composer;
    private readonly MailBell _bell;
    private readonly Throttle _throttle;
    private readonly ProtocolOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<MailDesk> _logger;

    public MailDesk(
        ICredentials credentials,
        IMailLinks links,
        IOutbox outbox,
        MailComposer composer,
        MailBell bell,
        Throttle throttle,
        ProtocolOptions options,
        TimeProvider clock,
        ILogger<MailDesk> logger)
    {
        (_credentials, _links, _outbox, _composer, _bell) = (credentials, links, outbox, composer, bell);
        (_throttle, _options, _clock, _logger) = (throttle, options, clock, logger);
    }

    /// <summary>
    /// Somebody wants a link for what they typed. The same happens, in the same time, whoever has that name: also when there were too many
    /// requests, and nothing is sent.
    /// </summary>
    public async ValueTask AskAsync(LinkPurpose purpose, string typed, string browserHash, string? waiting, HttpContext http, CancellationToken ct)
    {
        typed = typed.Trim();
        var turn = await _throttle.TakeAsync(LinkLimits.Asked(purpose, typed, http.Connection.RemoteIpAddress), ct);
        if (turn.BlockedUntil is not null)
        {
            LogTooMany(_logger, purpose);
            return;
        }

        var request = new LinkRequest(
            purpose, typed, browserHash, waiting, UiLanguage.Current.Tag, http.Connection.RemoteIpAddress?.ToString());
        if (!_requests.Writer.TryWrite(request))
        {
            LogTooMany(_logger, purpose);
        }
    }

    /// <summary>
    /// A person who is signed in wants to prove an address: their own, or one that is to take its place. False: too often.
    /// </summary>
    public async ValueTask<bool> AskToProveAsync(User user, string email, HttpContext http, CancellationToken ct)
    {
        var sent = await _throttle.TakeAsync(LinkLimits.Sent(MailLinkKinds.VerifyEmail, user.Id), ct);
        if (sent.BlockedUntil is not null)
        {
            return false;
        }

        var handle = Handle.Create();
        var link = Link(handle, MailLinkKinds.VerifyEmail, user.Id, email, MailKind.LinkLifetime);
        var mail = _composer.Compose(
            MailKind.VerifyEmail,
            MailRecipient.At(email, user),
            new() { Link = AddressOf("/verify-email", handle, null, UiLanguage.Current.Tag), LinkLifetime = MailKind.LinkLifetime });
        var audit = Asked(MailLinkKinds.VerifyEmail, user.Id, http.Connection.RemoteIpAddress?.ToString()) with { Actor = "user:" + user.Id };
        await _links.AddAsync(link, mail, replaces: true, audit, ct);
        _bell.Ring();
        return true;
    }

    /// <summary>Tells a person of a sign-in, with a link by which they say that it was not theirs.</summary>
    /// <param name="user">Who.</param>
    /// <param name="kind"><see cref="MailKind.NewSignIn"/> or <see cref="MailKind.SuspiciousSignIn"/>.</param>
    /// <param name="values">When, where and with what; the link is added here.</param>
    /// <param name="ct">Stops before the commit.</param>
    public async ValueTask TellOfSignInAsync(User user, MailKind kind, MailValues values, CancellationToken ct)
    {
        var handle = Handle.Create();
        var told = values with
        {
            Link = AddressOf("/not-me", handle, null, language: null),
            LinkLifetime = MailKind.NotMeLifetime,
        };
        if (_composer.Compose(kind, MailRecipient.Of(user), told) is not { } mail)
        {
            return;
        }

        // Links of earlier mails work on: whoever got in could otherwise close them by signing in again.
        var link = Link(handle, MailLinkKinds.NotMe, user.Id, user.Email, MailKind.NotMeLifetime);
        await _links.AddAsync(link, mail, replaces: false, audit: null, ct);
        _bell.Ring();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await _requests.Reader.WaitToReadAsync(stoppingToken))
            {
                while (_requests.Reader.TryRead(out var request))
                {
                    await TrySeeToAsync(request);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // A stop in good order forgets nobody.
            while (_requests.Reader.TryRead(out var request))
            {
                await TrySeeToAsync(request);
            }
        }
    }

    private async Task TrySeeToAsync(LinkRequest request)
    {
        try
        {
            CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(request.Language);
            await (request.Purpose == LinkPurpose.Register
                ? RegisterAsync(request, CancellationToken.None)
                : RecoverAsync(request, CancellationToken.None));
        }
#pragma warning disable CA1031 // one that failed must not keep the others from being seen to
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogFailed(_logger, request.Purpose, error);
        }
    }

    private async ValueTask RecoverAsync(LinkRequest request, CancellationToken ct)
    {
        var (kind, mailKind, path) = request.Purpose == LinkPurpose.Reset
            ? (MailLinkKinds.PasswordReset, MailKind.PasswordReset, "/reset-password")
            : (MailLinkKinds.Unlock, MailKind.Unlock, "/unlock");
        if (await _credentials.FindAsync(request.Typed, ct) is not { User: { DisabledAt: null } user }
            || MailRecipient.Of(user) is not { } to
            || (await _throttle.TakeAsync(LinkLimits.Sent(kind, user.Id), ct)).BlockedUntil is not null)
        {
            return;
        }

        await SendAsync(request, kind, mailKind, path, to, user.Id, ct);
    }

    private async ValueTask RegisterAsync(LinkRequest request, CancellationToken ct)
    {
        if (!MailAddresses.IsPossible(request.Typed))
        {
            return;
        }

        // Also where the account's owner never proved the address: whoever reads the mail there learns what they may know.
        var to = MailRecipient.Stranger(request.Typed);
        if (await _credentials.FindAsync(request.Typed, ct) is null)
        {
            await SendAsync(request, MailLinkKinds.Registration, MailKind.Registration, "/register/finish", to, subject: null, ct);
            return;
        }

        var values = new MailValues { Link = AddressOf("/login", null, request.Waiting, request.Language) };
        if (_composer.Compose(MailKind.RegistrationExists, to, values) is { } mail)
        {
            await _outbox.AddAsync(mail, ct);
            _bell.Ring();
        }
    }

    private async ValueTask SendAsync(
        LinkRequest request, string kind, MailKind mailKind, string path, MailRecipient to, string? subject, CancellationToken ct)
    {
        var handle = Handle.Create();
        var mail = _composer.Compose(mailKind, to, new()
        {
            Link = AddressOf(path, handle, request.Waiting, request.Language),
            LinkLifetime = MailKind.LinkLifetime,
            IsForSameBrowser = true,
        });
        if (mail is null)
        {
            return;
        }

        var link = Link(handle, kind, subject, to.Email, MailKind.LinkLifetime) with
        {
            BrowserHash = request.BrowserHash,
            RequestHash = request.Waiting is { } waiting ? Handle.HashOf(waiting) : null,
        };
        await _links.AddAsync(link, mail, replaces: true, Asked(kind, subject, request.Address), ct);
        _bell.Ring();
    }

    private MailLink Link(Handle handle, string kind, string? subject, string? email, TimeSpan lifetime)
    {
        var now = _clock.GetUtcNow();
        return new MailLink
        {
            Hash = handle.Hash,
            Kind = kind,
            Subject = subject,
            Email = email,
            CreatedAt = now,
            ExpiresAt = now + lifetime,
        };
    }

    private AuditEvent Asked(string kind, string? subject, string? address) => new(AuditTypes.MailLinkAsked, _clock.GetUtcNow())
    {
        Actor = "anonymous",
        Subject = subject,
        Address = address,
        Detail = kind,
    };

    private string AddressOf(string path, Handle? handle, string? waiting, string? language)
    {
        var query = handle is { } link ? QueryString.Create("code", link.Text) : QueryString.Empty;
        query = waiting is null ? query : query.Add("handle", waiting);
        query = language is null ? query : query.Add("ui_locales", language);
        return $"{_options.Issuer}{path}{query}";
    }

    [LoggerMessage(3201, LogLevel.Information, "A mailed link ({Purpose}) was asked for too often; none is sent.")]
    private static partial void LogTooMany(ILogger logger, LinkPurpose purpose);

    [LoggerMessage(3202, LogLevel.Error, "A mailed link ({Purpose}) that was asked for could not be made.")]
    private static partial void LogFailed(ILogger logger, LinkPurpose purpose, Exception error);
}
