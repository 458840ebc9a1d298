using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Accounts;
using IdentityServer.Storage.Devices;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.Account;

/// <summary>Everything kept about a person, as one file. Shows nothing itself.</summary>
public sealed class DataModel(
    AccountAccess access,
    IAccounts accounts,
    IAuthenticators authenticators,
    IPasskeys passkeys,
    IRecoveryCodes codes,
    IDevices devices,
    TimeProvider clock) : AccountPage(access, clock)
{
    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        var subject = Visit.Subject;
        var records = await accounts.ReadAsync(subject, ct);
        var data = new AccountData
        {
            MadeAt = Now,
            Profile = ProfileOf(Visit.User, records.Roles),
            Authenticators = [.. (await authenticators.ListAsync(subject, ct)).Select(app => new FactorData(app.Name, app.CreatedAt, app.LastUsedAt))],
            Passkeys = [.. (await passkeys.ListAsync(subject, ct)).Select(Of)],
            RecoveryCodes = [.. (await codes.ListAsync(subject, ct)).Select(code => new RecoveryCodeData(code.CreatedAt, code.UsedAt))],
            Devices = [.. (await devices.ListAsync(subject, Now, ct)).Select(Of)],
            Sessions = [.. records.Sessions.Select(Of)],
            Consents = [.. records.Consents.Select(consent => new ConsentData(consent.ClientId, consent.Scopes, consent.GivenAt))],
            Grants = [.. records.Grants.Select(Of)],
            Places = [.. records.Places.Select(place => new PlaceData(
                place.Network, place.FirstSeenAt, place.LastSeenAt, place.Country, place.Latitude, place.Longitude))],
            Mails = [.. records.Mails.Select(mail => new MailData(mail.Kind, mail.CreatedAt, mail.SentAt))],
            Events = [.. records.Events.Select(Of)],
        };
        var name = string.Create(CultureInfo.InvariantCulture, $"account-{Now.UtcDateTime:yyyy-MM-dd}.json");
        return File(JsonSerializer.SerializeToUtf8Bytes(data, AccountJson.Readable.AccountData), "application/json", name);
    }

    private static ProfileData ProfileOf(User user, IReadOnlyList<string> roles) => new()
    {
        Sub = user.Id,
        UserName = user.UserName!,
        Name = user.Name,
        GivenName = user.GivenName,
        FamilyName = user.FamilyName,
        Locale = user.Locale,
        Email = user.Email,
        EmailVerified = user.EmailConfirmed,
        PhoneNumber = user.PhoneNumber,
        PhoneNumberVerified = user.PhoneNumberConfirmed,
        MoreClaims = user.MoreClaims is { } json ? JsonNode.Parse(json) : null,
        Roles = roles,
        CreatedAt = user.CreatedAt,
        UpdatedAt = user.UpdatedAt,
        HasPassword = user.PasswordHash is not null,
        PasswordChangedAt = user.PasswordChangedAt,
        PasswordBarredAt = user.PasswordBarredAt,
        RequiresSecondFactor = user.RequiresSecondFactor,
    };

    private static PasskeyData Of(Passkey passkey) => new()
    {
        Name = passkey.Name,
        CreatedAt = passkey.CreatedAt,
        LastUsedAt = passkey.LastUsedAt,
        Transports = passkey.Transports,
        IsSynced = passkey.IsBackedUp,
    };

    private static DeviceData Of(Device device) => new()
    {
        Id = device.Id,
        FirstSeenAt = device.CreatedAt,
        LastSeenAt = device.LastSeenAt,
        SparedSecondFactorUntil = device.RememberedUntil,
        ForgottenAt = device.ExpiresAt,
        Address = device.Address,
        UserAgent = device.UserAgent,
    };

    private static SessionData Of(Session session) => new()
    {
        Id = session.Id,
        OpenedAt = session.CreatedAt,
        AuthenticatedAt = session.AuthenticatedAt,
        Amr = session.Amr,
        Acr = session.Acr,
        LastSeenAt = session.LastSeenAt,
        ExpiresAt = session.ExpiresAt,
        EndedAt = session.EndedAt,
        Address = session.Address,
        UserAgent = session.UserAgent,
        DeviceId = session.DeviceId,
    };

    private static GrantData Of(Grant grant) => new()
    {
        Id = grant.Id,
        ClientId = grant.ClientId,
        SessionId = grant.SessionId,
        Scopes = grant.Scopes,
        GrantedAt = grant.GrantedAt,
        ExpiresAt = grant.ExpiresAt,
        EndedAt = grant.EndedAt,
        IsOffline = grant.IsOffline,
        ClaimsRequest = grant.ClaimsRequest,
    };

    private static EventData Of(AuditEvent audit) => new()
    {
        Type = audit.Type,
        At = audit.At,
        Actor = audit.Actor,
        ClientId = audit.ClientId,
        SessionId = audit.SessionId,
        GrantId = audit.GrantId,
        Address = audit.Address,
        Outcome = audit.Outcome,
        Detail = audit.Detail,
    };
}
