namespace IdentityServer.Admin;

/// <summary>People who cannot sign in, in the admin API, <c>/admin/api/v1/people…</c> (docs/admin-api.md).</summary>
internal sealed class PeopleApi(PersonHelp help)
{
    /// <summary>What can be done at an address below <c>people</c>, by method; <see langword="null"/>: nothing is there.</summary>
    public IReadOnlyDictionary<string, AdminDeed>? Find(string[] path) => path switch
    {
        [] => new Dictionary<string, AdminDeed>(StringComparer.Ordinal) { ["GET"] = (call, ct) => ShowAsync(call.Query["name"].ToString(), ct) },
        [var subject] => new Dictionary<string, AdminDeed>(StringComparer.Ordinal) { ["GET"] = (_, ct) => ShowAsync(subject, ct) },
        [var subject, "unlock"] => Post(subject, help.UnlockAsync),
        [var subject, "reset-factors"] => Post(subject, help.ResetFactorsAsync),
        [var subject, "disable"] => Post(subject, help.DisableAsync),
        [var subject, "enable"] => Post(subject, help.EnableAsync),
        _ => null,
    };

    private delegate ValueTask<HelpOutcome> Deed(string subject, string reason, string actor, CancellationToken ct);

    private async ValueTask<AdminAnswer> ShowAsync(string nameOrSubject, CancellationToken ct)
    {
        if (nameOrSubject.Length == 0)
        {
            return AdminAnswer.Malformed("Say whom: add ?name= with a user name or an e-mail address.");
        }

        return await help.FindAsync(nameOrSubject, ct) is { } found ? AdminAnswer.Of(PersonView.Of(found), AdminJson.Plain.PersonView) : UnknownPerson;
    }

    private Dictionary<string, AdminDeed> Post(string subject, Deed deed) => new(StringComparer.Ordinal)
    {
        ["POST"] = async (call, ct) =>
        {
            if (!call.TryRead(AdminJson.Plain.ReasonBody, out var body, out var refused))
            {
                return refused;
            }

            if (PersonHelp.ReasonFault(body.Reason) is { } fault)
            {
                return AdminAnswer.Malformed($"The member reason {fault}");
            }

            return await deed(subject, body.Reason!, call.Actor, ct) switch
            {
                HelpOutcome.Done => await ShowAsync(subject, ct),
                HelpOutcome.UnknownPerson => UnknownPerson,
                HelpOutcome.LastAdmin => AdminAnswer.Problem(
                    StatusCodes.Status409Conflict, "last_admin", "The last admin stays", "Nobody else could administer the server. Make another admin first."),
                _ => AdminAnswer.Problem(StatusCodes.Status409Conflict, "nothing_to_do", "It is so already", "Nothing was changed."),
            };
        },
    };

    private static AdminAnswer UnknownPerson { get; } = AdminAnswer.Problem(
        StatusCodes.Status404NotFound, "unknown_person", "There is no such person", "No person has this sub, user name or e-mail address.");
}

/// <summary>The body of a deed that is explained.</summary>
internal sealed record ReasonBody
{
    public string? Reason { get; init; }
}

/// <summary>A person, as whoever helps them sees them.</summary>
internal sealed record PersonView
{
    public required string Sub { get; init; }

    public required string UserName { get; init; }

    public string? Name { get; init; }

    public DateTimeOffset? DisabledAt { get; init; }

    public DateTimeOffset? PasswordBarredAt { get; init; }

    public required bool RequiresSecondFactor { get; init; }

    public required bool HasAuthenticator { get; init; }

    public required bool HasPasskey { get; init; }

    public required int RecoveryCodes { get; init; }

    /// <summary>Strangers, at least, have to wait before the next attempt.</summary>
    public required bool Throttled { get; init; }

    public static PersonView Of(PersonSituation situation) => new()
    {
        Sub = situation.User.Id,
        UserName = situation.User.UserName!,
        Name = situation.User.Name,
        DisabledAt = situation.User.DisabledAt,
        PasswordBarredAt = situation.User.PasswordBarredAt,
        RequiresSecondFactor = situation.User.RequiresSecondFactor,
        HasAuthenticator = situation.Factors.HasAuthenticator,
        HasPasskey = situation.Factors.HasPasskey,
        RecoveryCodes = situation.Factors.RecoveryCodes,
        Throttled = situation.IsThrottled,
    };
}
