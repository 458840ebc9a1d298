using IdentityServer.Configuration;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Recovery;
using IdentityServer.Storage.Risk;
using IdentityServer.Storage.Users;
using IdentityServer.Throttling;

namespace IdentityServer.Risk;

/// <summary>
/// Looks at each sign-in for signs that it is somebody else's: tells the person by mail, with a link that ends everything, and the audit log.
/// </summary>
public sealed class SignInWatch(
    IPlaces places,
    ILocator locator,
    ICredentials credentials,
    MailDesk desk,
    IAuditLog audits,
    RiskSettings settings,
    TimeProvider clock) : IReuseWatch
{
    /// <summary>The signs of a sign-in about to be finished.</summary>
    public async ValueTask<IReadOnlyList<string>> AssessAsync(string subject, bool isNewDevice, System.Net.IPAddress? address, CancellationToken ct) =>
        RiskSignals.Of(new SignInFacts(
            Networks.Of(address),
            address is null ? null : locator.Find(address),
            isNewDevice,
            await places.ListAsync(subject, ct),
            clock.GetUtcNow()));

    /// <summary>True when these signs ask for a second factor also on a device that is spared it.</summary>
    public bool AsksForMore(IReadOnlyList<string> signs) =>
        settings.StepUp && (RiskSignals.AreSuspicious(signs) || signs.Contains(RiskSignals.NewNetwork, StringComparer.Ordinal));

    /// <summary>The person is signed in: remembers from where, records the signs, and tells the person what is worth telling.</summary>
    public async ValueTask NoteAsync(User user, Session session, IReadOnlyList<string> signs, System.Net.IPAddress? address, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var location = address is null ? null : locator.Find(address);
        await places.SeenAsync(
            new Place
            {
                Subject = user.Id,
                Network = Networks.Of(address),
                FirstSeenAt = now,
                LastSeenAt = now,
                Country = location?.Country,
                Latitude = location?.Latitude,
                Longitude = location?.Longitude,
            },
            ct);
        if (signs.Count == 0)
        {
            return;
        }

        var audit = new AuditEvent(AuditTypes.SignInRisk, now)
        {
            Actor = "user:" + user.Id,
            Subject = user.Id,
            SessionId = session.Id,
            Address = session.Address,
            Detail = string.Join(' ', signs),
        };
        await audits.WriteAsync([audit], ct);
        var isSuspicious = RiskSignals.AreSuspicious(signs);
        if (isSuspicious || signs.Contains(RiskSignals.NewDevice, StringComparer.Ordinal))
        {
            var values = new MailValues { At = now, Device = SignInWords.DeviceOf(session.UserAgent), Place = PlaceOf(session.Address, location) };
            await desk.TellOfSignInAsync(user, isSuspicious ? MailKind.SuspiciousSignIn : MailKind.NewSignIn, values, ct);
        }
    }

    /// <summary>Something spent was presented again: a thief, or whoever they stole from.</summary>
    public async ValueTask NoticeAsync(Grant grant, string? address, CancellationToken ct)
    {
        if (grant.Subject is not { } subject || await credentials.FindBySubjectAsync(subject, ct) is not { } who)
        {
            return;
        }

        var now = clock.GetUtcNow();
        var audit = new AuditEvent(AuditTypes.SignInRisk, now)
        {
            Actor = "client:" + grant.ClientId,
            Subject = subject,
            ClientId = grant.ClientId,
            SessionId = grant.SessionId,
            GrantId = grant.Id,
            Address = address,
            Detail = RiskSignals.TokenReuse,
        };
        await audits.WriteAsync([audit], ct);
        await desk.TellOfSignInAsync(who.User, MailKind.SuspiciousSignIn, new MailValues { At = now, Place = address, App = grant.ClientId }, ct);
    }

    private static string? PlaceOf(string? address, Location? location) => location is null ? address : $"{address} ({location.Country})";
}
