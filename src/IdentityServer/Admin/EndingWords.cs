using System.Text.Encodings.Web;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Resources;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Html;
using Microsoft.AspNetCore.Mvc.Localization;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Admin;

/// <summary>What people and apps are called, as far as they are still there.</summary>
internal sealed record EndingNames(IReadOnlyDictionary<string, PersonName> People, IReadOnlyDictionary<string, string> Clients)
{
    public string Person(string? subject) => subject is null ? "–" : People.GetValueOrDefault(subject)?.UserName ?? subject;

    public string Client(string? id) => id is null ? "–" : Clients.GetValueOrDefault(id) ?? id;
}

/// <summary>What ended, by whom and why, in the reader's language.</summary>
internal sealed class EndingWords(IHtmlLocalizer<Texts> html, IStringLocalizer<Texts> texts, EndingNames names)
{
    /// <summary>What stands before a <c>sub</c> where somebody did something.</summary>
    public const string User = "user:";

    private const string OfClient = "client:";

    /// <summary>For the page: names keep their reading direction to themselves.</summary>
    public IHtmlContent What(Receipt receipt)
    {
        var (key, about) = Said(receipt);
        return html[key, [.. about.Select(Bdi)]];
    }

    /// <summary>For the title.</summary>
    public string Title(Receipt receipt)
    {
        var (key, about) = Said(receipt);
        return texts[key, [.. about]];
    }

    public string By(Receipt receipt) => receipt.Actor switch
    {
        _ when receipt.Actor == User + receipt.Subject => texts["Receipt_ByThemselves"],
        "cli" => texts["Receipt_ByCommand"],
        var actor when actor.StartsWith(User, StringComparison.Ordinal) => names.Person(actor[User.Length..]),
        var actor when actor.StartsWith(OfClient, StringComparison.Ordinal) => names.Client(actor[OfClient.Length..]),
        var actor => actor,
    };

    /// <summary>What was written for the record, or what the server knows.</summary>
    public string Why(Receipt receipt) => receipt.Note is { } note ? texts["Receipt_Note", note] : Because(receipt.Reason);

    /// <summary>As exact as it is known.</summary>
    public string Moment(DateTimeOffset at) => texts["Receipt_Moment", at.UtcDateTime];

    public string Clock(DateTimeOffset at) => texts["Receipt_Clock", at.UtcDateTime];

    public static IHtmlContent Bdi(string name) => new HtmlString($"<bdi>{HtmlEncoder.Default.Encode(name)}</bdi>");

    private (string Key, string[] About) Said(Receipt receipt) => EndingHelp.KindOf(receipt) switch
    {
        "session" => ("Receipt_Session", [names.Person(receipt.Subject)]),
        "subject" when receipt.ExceptSessionId is not null => ("Receipt_AllButOne", [names.Person(receipt.Subject)]),
        "subject" => ("Receipt_Person", [names.Person(receipt.Subject)]),
        "client" => ("Receipt_Client", [names.Client(receipt.ClientId)]),
        "app" when receipt.SessionId is not null => ("Receipt_AppInSession", [names.Person(receipt.Subject), names.Client(receipt.ClientId)]),
        "app" => ("Receipt_App", [names.Person(receipt.Subject), names.Client(receipt.ClientId)]),
        "grant" => ("Receipt_Grant", [names.Person(receipt.Subject), names.Client(receipt.ClientId)]),
        "everything" => ("Receipt_Everything", []),
        "key" => ("Receipt_Key", [KeyWords.Short(receipt.Key)]),
        _ => ("Receipt_Token", [names.Client(receipt.ClientId)]),
    };

    private string Because(string reason) => reason switch
    {
        "ended_by_admin" => texts["Receipt_EndedByAdmin"],
        "signed_out" => texts["Receipt_SignedOut"],
        "replaced" => texts["Receipt_Replaced"],
        "ended_in_account" or "removed_in_account" => texts["Receipt_EndedInAccount"],
        "account_deleted" => texts["Receipt_AccountDeleted"],
        "password_changed" or "password_reset" => texts["Receipt_NewPassword"],
        "not_me" => texts["Receipt_NotMe"],
        "factors_reset" => texts["Receipt_FactorsReset"],
        "disabled" => texts["Receipt_Disabled"],
        "code_reuse" or "refresh_reuse" => texts["Receipt_UsedTwice"],
        "revoked_by_client" => texts["Receipt_Revoked"],
        "client_disabled" => texts["Receipt_ClientDisabled"],
        "client_removed" => texts["Receipt_ClientRemoved"],
        "key_compromised" => texts["Receipt_KeyStolen"],
        "key_cancelled" => texts["Receipt_KeyCancelled"],
        _ => reason,
    };
}
