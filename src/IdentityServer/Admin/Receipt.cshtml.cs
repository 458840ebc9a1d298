using System.Text.Json;
using IdentityServer.Layout;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Resources;
using IdentityServer.Storage.Logout;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Localization;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Admin;

/// <summary>One ending: what died, how far the word of it has got, and until when somebody may not have heard.</summary>
internal sealed class ReceiptModel(
    ConsoleAccess console,
    EndingHelp help,
    IReceiptStore receipts,
    ILogoutNotices notices,
    INames names,
    IClientStore clients,
    IHtmlLocalizer<Texts> html,
    IStringLocalizer<Texts> texts,
    TimeProvider clock) : ConsolePage(console)
{
    /// <summary>More are counted, not listed.</summary>
    public const int NoticesShown = 100;

    [BindProperty(SupportsGet = true)]
    public string? Id { get; set; }

    public DateTimeOffset Now { get; } = clock.GetUtcNow();

    public KeyWords Lengths { get; } = new(texts);

    public EndingWords Words { get; private set; } = null!;

    public EndingNames Names { get; private set; } = null!;

    public Receipt Receipt { get; private set; } = null!;

    /// <summary>How far it has got.</summary>
    public ReceiptView View { get; private set; } = null!;

    public IReadOnlyList<LogoutNotice> Notices { get; private set; } = [];

    public int Confirmed => View.Nodes.Count(node => node.Confirmed);

    /// <summary>Somewhere a token may still be accepted.</summary>
    public bool IsExposed => View.ExposedUntil > Now;

    public int ToBeTold => View.Notices.Waiting + View.Notices.Delivered + View.Notices.Dead;

    /// <summary>How much of the exposure is over, in hundredths.</summary>
    public double Elapsed => Math.Clamp(100 * ((Now - View.At) / (View.ExposedUntil - View.At)), 0, 100);

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await FindAsync(ct) is { } refused)
        {
            return refused;
        }

        Notices = await notices.ListAsync(Receipt.Id, ct);
        Names = await ReceiptsModel.NamesAsync([Receipt], names, clients, ct);
        Words = new EndingWords(html, texts, Names);
        return Page();
    }

    /// <summary>The same as a file, as the admin API has it.</summary>
    public async Task<IActionResult> OnGetJsonAsync(CancellationToken ct) =>
        await FindAsync(ct)
            ?? File(JsonSerializer.SerializeToUtf8Bytes(View, AdminJson.Plain.ReceiptView), "application/json", $"receipt-{Receipt.Id}.json");

    private async ValueTask<IActionResult?> FindAsync(CancellationToken ct)
    {
        if (await EnterAsync(AdminArea.Sessions, Links.ReceiptsName, ct) is { } refused)
        {
            return refused;
        }

        if (Id is null || await receipts.FindAsync(Id, ct) is not { } receipt)
        {
            return NotFound();
        }

        (Receipt, View) = (receipt, await help.ViewAsync(receipt, ct));
        return null;
    }
}
