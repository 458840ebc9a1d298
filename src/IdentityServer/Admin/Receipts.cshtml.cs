using IdentityServer.Layout;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Resources;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Localization;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Admin;

/// <summary>Everything that was ended, by whomever, the latest first. How far each has got is on its own page.</summary>
internal sealed class ReceiptsModel(
    ConsoleAccess console,
    IReceiptStore receipts,
    INames names,
    IClientStore clients,
    IHtmlLocalizer<Texts> html,
    IStringLocalizer<Texts> texts) : ConsolePage(console)
{
    /// <summary>On one page.</summary>
    public const int Shown = 50;

    /// <summary>Where <see cref="EndModel"/> leaves what it did.</summary>
    public const string DoneName = "receipts.done";

    [BindProperty(SupportsGet = true)]
    public string? Cursor { get; set; }

    public IReadOnlyList<Receipt> Receipts { get; private set; } = [];

    /// <summary>Where the next part begins; <see langword="null"/>: there is none.</summary>
    public string? Next { get; private set; }

    public EndingWords Words { get; private set; } = null!;

    public string? Done { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await EnterAsync(AdminArea.Sessions, Links.ReceiptsName, ct) is { } refused)
        {
            return refused;
        }

        Done = TempData[DoneName] as string;
        var before = Cursor is { Length: > 0 } cursor ? await receipts.FindAsync(cursor, ct) : null;
        var found = await receipts.ListAsync(before, Shown + 1, ct);
        Receipts = [.. found.Take(Shown)];
        Next = found.Count > Shown ? Receipts[^1].Id : null;
        Words = new EndingWords(html, texts, await NamesAsync(Receipts, names, clients, ct));
        return Page();
    }

    /// <summary>What the people and apps are called that receipts name.</summary>
    public static async ValueTask<EndingNames> NamesAsync(
        IReadOnlyList<Receipt> receipts, INames names, IClientStore clients, CancellationToken ct) =>
        new(
            await names.FindAsync(receipts.SelectMany(SubjectsIn), ct),
            (await clients.ListAsync(ct)).ToDictionary(client => client.Id, client => client.Name, StringComparer.Ordinal));

    private static IEnumerable<string> SubjectsIn(Receipt receipt)
    {
        if (receipt.Subject is { } subject)
        {
            yield return subject;
        }

        if (receipt.Actor.StartsWith(EndingWords.User, StringComparison.Ordinal))
        {
            yield return receipt.Actor[EndingWords.User.Length..];
        }
    }
}
