using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using AngleSharp.Html.Dom;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Samples;

/// <summary>A person's whole way through the sample web app, the server and the sample API.</summary>
[Collection(nameof(SampleWorld))]
public sealed partial class WebAppJourneyTests(SampleWorld world)
{
    private static readonly Dictionary<string, string?> NoAnswers = new(StringComparer.Ordinal);

    private readonly Browser _browser = new(world.Http);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Orders_ask_for_a_sign_in_and_come_back_to_the_orders()
    {
        var page = await OpenAsync("/orders");

        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Equal(new Uri(world.WebApp.Address, "/orders"), page.Address);
        Assert.Contains("Two chairs", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_order_placed_is_in_the_list()
    {
        var orders = await OpenAsync("/orders");
        var what = $"Teapot {Guid.NewGuid():N}";
        var form = orders.Forms.Single(form => form["what"] is not null);

        var page = await _browser.SubmitAsync(orders, form, new Dictionary<string, string?>(StringComparer.Ordinal) { ["what"] = what }, null, Ct);

        Assert.Contains(what, page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_takes_two_factors_and_the_app_leads_there_and_back()
    {
        var orders = await WalkAsync(await _browser.OpenAsync(new Uri(world.WebApp.Address, "/orders"), Ct), SampleWorld.Bob);
        var what = $"Kettle {Guid.NewGuid():N}";
        var form = orders.Forms.Single(form => form["what"] is not null);
        orders = await _browser.SubmitAsync(orders, form, new Dictionary<string, string?>(StringComparer.Ordinal) { ["what"] = what }, null, Ct);

        var enrolment = await WalkAsync(await CancelAsync(orders, what), SampleWorld.Bob);
        Assert.Equal("/login/enrol", enrolment.Address.AbsolutePath);
        var (_, codes) = await _browser.EnrolAsync(enrolment, TimeProvider.System, Ct);
        var goOn = codes.Document.QuerySelector("a.button:not(.quiet)")!.GetAttribute("href");
        orders = await WalkAsync(await _browser.OpenAsync(new Uri(codes.Address, goOn), Ct), SampleWorld.Bob);
        Assert.Contains(what, orders.Text, StringComparison.Ordinal);
        orders = await CancelAsync(orders, what);

        Assert.Equal("/orders", orders.Address.AbsolutePath, ignoreCase: true);
        Assert.DoesNotContain(what, orders.Text, StringComparison.Ordinal);
    }

    private Task<Page> CancelAsync(Page orders, string what)
    {
        var form = orders.Forms.Single(form => form.TextContent.Contains("Cancel " + what, StringComparison.Ordinal));
        return _browser.SubmitAsync(orders, form, NoAnswers, null, Ct);
    }

    [Fact]
    public async Task Every_refresh_brings_the_next_one_even_when_two_requests_refresh_at_once()
    {
        await OpenAsync("/orders");
        var before = Refreshes(await OpenAsync("/"));

        var pages = await Task.WhenAll(OpenAsync("/orders"), OpenAsync("/orders"), OpenAsync("/orders"));
        var after = Refreshes(await OpenAsync("/"));

        Assert.All(pages, page => Assert.Contains("Two chairs", page.Text, StringComparison.Ordinal));
        Assert.True(after > before + 1, $"{before} refreshes before, {after} after");
    }

    [Fact]
    public async Task Signing_out_signs_out_of_the_app_and_of_the_server()
    {
        await OpenAsync("/orders");
        var home = await OpenAsync("/");
        var signOut = home.Forms.Single(form => form.TextContent.Contains("Sign out", StringComparison.Ordinal));

        var page = await WalkAsync(await _browser.SubmitAsync(home, signOut, NoAnswers, null, Ct), person: null);

        Assert.Equal(world.WebApp.Address.Authority, page.Address.Authority);
        Assert.Contains("You are signed out", page.Text, StringComparison.Ordinal);

        // Nobody is signed in at the server any more: it asks for the password again.
        var again = await WalkAsync(await _browser.OpenAsync(new Uri(world.WebApp.Address, "/orders"), Ct), person: null);
        Assert.NotNull(again.SignInForm);
    }

    private async Task<Page> OpenAsync(string path) =>
        await WalkAsync(await _browser.OpenAsync(new Uri(world.WebApp.Address, path), Ct), SampleWorld.Alice);

    // From redirect to redirect, and through the server's own pages: signs in, allows, confirms.
    private async Task<Page> WalkAsync(Page page, Person? person)
    {
        for (var pages = 0; pages < 12; pages++)
        {
            var isServers = page.Address.GetLeftPart(UriPartial.Authority) == world.Issuer;
            if (page.IsRedirect)
            {
                page = await _browser.OpenAsync(page.Location!, Ct);
            }
            else if (isServers && page.SignInForm is not null && person is not null)
            {
                page = await _browser.SignInAsync(page, person, Ct);
            }
            else if (isServers && page.SignInForm is null && Agreement(page) is { } yes)
            {
                page = await _browser.SubmitAsync(page, yes.Form, NoAnswers, yes.Button, Ct);
            }
            else
            {
                return page;
            }
        }

        throw new CheckFailedException($"The journey does not end: {page}");
    }

    private static (IHtmlFormElement Form, IHtmlElement Button)? Agreement(Page page) =>
        (from form in page.Forms
         from button in Browser.Buttons(form)
         where button.TextContent.Trim() is "Allow" or "Sign out"
         select ((IHtmlFormElement, IHtmlElement)?)(form, button)).FirstOrDefault();

    private static int Refreshes(Page home) => int.Parse(RefreshCount().Match(home.Text).Groups["count"].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("refreshed (?<count>[0-9]+) times", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex RefreshCount();
}
