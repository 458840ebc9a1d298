using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Sessions;
using IdentityServer.Storage.Users;

namespace IdentityServer.Admin;

/// <summary>How an ending went.</summary>
internal abstract record EndOutcome
{
    /// <summary>What ended; one receipt for each deed.</summary>
    public sealed record Done(IReadOnlyList<Receipt> Receipts) : EndOutcome;

    /// <param name="Code">A fixed word, as the admin API says it.</param>
    /// <param name="What">A sentence.</param>
    public sealed record Refused(string Code, string What) : EndOutcome;
}

/// <summary>Ends what people and apps have, and says how far each ending has got: for the admin API, the console and the command line.</summary>
internal sealed class EndingHelp(
    Revoker revoker,
    ISessionStore sessions,
    IGrantStore grants,
    ILiveSessions live,
    IReceiptStore receipts,
    IClientStore clients,
    ICredentials credentials,
    TimeProvider clock)
{
    private const string Reason = "ended_by_admin";

    private static readonly EndOutcome.Refused _unknownSession = new("unknown_session", "There is no such session.");
    private static readonly EndOutcome.Refused _unknownGrant = new("unknown_grant", "There is no such grant.");
    private static readonly EndOutcome.Refused _unknownClient = new("unknown_client", "There is no such client.");
    private static readonly EndOutcome.Refused _nothing = new("nothing_to_do", "It had ended before. Nothing was changed.");

    /// <summary>The <c>sub</c> of a person by user name, e-mail address or <c>sub</c>; <see langword="null"/>: there is nobody.</summary>
    public async ValueTask<string?> SubjectOfAsync(string nameOrSubject, CancellationToken ct) =>
        (await credentials.FindAsync(nameOrSubject, ct) ?? await credentials.FindBySubjectAsync(nameOrSubject, ct))?.User.Id;

    /// <summary>One session, with everything that was given in it.</summary>
    public async ValueTask<EndOutcome> EndSessionAsync(string sessionId, string reason, string actor, CancellationToken ct) =>
        await sessions.FindAsync(sessionId, ct) is not { } session ? _unknownSession
        : await revoker.EndSessionAsync(session.Id, session.Subject, alsoOffline: true, Because(reason, actor), ct) is { } receipt
            ? new EndOutcome.Done([receipt])
            : _nothing;

    /// <summary>All that a person has.</summary>
    public async ValueTask<EndOutcome> EndPersonAsync(string subject, string reason, string actor, CancellationToken ct) =>
        new EndOutcome.Done([(await revoker.EndPersonAsync(subject, exceptSessionId: null, change: null, Because(reason, actor), ct))!]);

    /// <summary>All that an app was given, and its own tokens. People stay signed in.</summary>
    public async ValueTask<EndOutcome> EndClientAsync(string clientId, string reason, string actor, CancellationToken ct) =>
        await clients.FindAsync(clientId, ct) is { } client
            ? new EndOutcome.Done([(await revoker.EndClientAsync(client.Id, change: null, Because(reason, actor), ct))!])
            : _unknownClient;

    /// <summary>Every session that was opened before an instant. Can be run again when it was interrupted.</summary>
    public async ValueTask<EndOutcome> EndBeforeAsync(DateTimeOffset instant, string reason, string actor, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (instant > now)
        {
            return new EndOutcome.Refused("in_the_future", "That instant is still to come. To end everything, say so.");
        }

        var ended = new List<Receipt>();
        var after = "";
        while (await live.ListOpenedBeforeAsync(instant, after, now, ct) is { Count: > 0 } part)
        {
            foreach (var (id, subject) in part)
            {
                if (await revoker.EndSessionAsync(id, subject, alsoOffline: true, Because(reason, actor), ct) is { } receipt)
                {
                    ended.Add(receipt);
                }
            }

            after = part[^1].Id;
        }

        return ended.Count == 0 ? new EndOutcome.Refused("nothing_to_do", "No session that is alive was opened before then.") : new EndOutcome.Done(ended);
    }

    /// <summary>Everything.</summary>
    public async ValueTask<EndOutcome> EndEverythingAsync(string reason, string actor, CancellationToken ct) =>
        new EndOutcome.Done([await revoker.EndEverythingAsync(Because(reason, actor), ct)]);

    /// <summary>One grant, with its tokens.</summary>
    public async ValueTask<EndOutcome> EndGrantAsync(string grantId, string reason, string actor, CancellationToken ct) =>
        await grants.FindAsync(grantId, ct) is not { } grant ? _unknownGrant
        : await revoker.EndGrantAsync(grant, Because(reason, actor), ct) is { } receipt ? new EndOutcome.Done([receipt])
        : _nothing;

    /// <summary>All that a person gave an app, and their consent.</summary>
    public async ValueTask<EndOutcome> EndAppAsync(string subject, string clientId, string reason, string actor, CancellationToken ct) =>
        await revoker.EndAppAsync(subject, clientId, Because(reason, actor), ct) is { } receipt ? new EndOutcome.Done([receipt]) : _nothing;

    /// <summary>How far an ending has got, as of now.</summary>
    public async ValueTask<ReceiptView> ViewAsync(Receipt receipt, CancellationToken ct)
    {
        // As it was stored: the number of its change, and whether its notices are on their way.
        receipt = await receipts.FindAsync(receipt.Id, ct) ?? receipt;
        var died = await receipts.CountAsync(receipt, ct);
        var told = await receipts.CountNoticesAsync(receipt, ct);
        var now = clock.GetUtcNow();
        var nodes = await receipts.ListNodesAsync(receipt, now, ct);
        return new ReceiptView
        {
            Id = receipt.Id,
            At = receipt.At,
            Kind = KindOf(receipt),
            Sub = receipt.Subject,
            ClientId = receipt.ClientId,
            Sid = receipt.SessionId,
            Gid = KindOf(receipt) == "grant" ? receipt.Key : null,
            Kid = receipt.Kind == RevocationKind.Key ? receipt.Key : null,
            Reason = receipt.Reason,
            Note = receipt.Note,
            Actor = receipt.Actor,
            Sessions = died.Sessions,
            Grants = died.Grants,
            RefreshFamilies = died.RefreshFamilies,
            ExposedUntil = receipt.ExposedUntil,
            Nodes = [.. nodes.Select(node => new NodeView(node.Id, node.SeenAt, node.IsConfirmed))],
            Notices = new NoticesView(receipt.NotifiedAt is not null, told.Waiting, told.Delivered, told.Dead),
            Complete = receipt.NotifiedAt is not null && told.Waiting == 0 && nodes.All(node => node.IsConfirmed),
        };
    }

    // All grants of an app are kept under the person, or the session, who gave them (Revoker.EndAppAsync, EndAppInSessionAsync).
    internal static string KindOf(Receipt receipt) =>
        receipt.Kind == RevocationKind.Grant && (receipt.Key == receipt.Subject || receipt.Key == receipt.SessionId)
            ? "app"
            : receipt.Kind.ToString().ToLowerInvariant();

    private static Cause Because(string reason, string actor) => new(Reason, actor, Address: null) { Note = reason };
}

/// <summary>A receipt, as the admin API and the command line show it.</summary>
internal sealed record ReceiptView
{
    public required string Id { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary><c>token</c>, <c>grant</c>, <c>app</c>, <c>session</c>, <c>subject</c>, <c>client</c>, <c>key</c> or <c>everything</c>.</summary>
    public required string Kind { get; init; }

    public string? Sub { get; init; }

    public string? ClientId { get; init; }

    public string? Sid { get; init; }

    public string? Gid { get; init; }

    public string? Kid { get; init; }

    public required string Reason { get; init; }

    public string? Note { get; init; }

    public required string Actor { get; init; }

    public required int Sessions { get; init; }

    public required int Grants { get; init; }

    /// <summary>Those of the grants that had refresh tokens.</summary>
    public required int RefreshFamilies { get; init; }

    /// <summary>Until when an API that neither asks nor follows the feed may accept a token that is out.</summary>
    public required DateTimeOffset ExposedUntil { get; init; }

    public required IReadOnlyList<NodeView> Nodes { get; init; }

    public required NoticesView Notices { get; init; }

    /// <summary>Every running node refuses it, and every client that is to be told has been, or was given up.</summary>
    public required bool Complete { get; init; }
}

internal sealed record NodeView(string Id, DateTimeOffset SeenAt, bool Confirmed);

/// <param name="Queued">The notices are known; until then the numbers are not final.</param>
/// <param name="Waiting">How many wait for their next attempt.</param>
/// <param name="Delivered">How many were taken.</param>
/// <param name="Dead">How many were given up.</param>
internal sealed record NoticesView(bool Queued, int Waiting, int Delivered, int Dead);
