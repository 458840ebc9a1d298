using System.Globalization;
using System.Text;
using AngleSharp.Html.Dom;
using FsCheck;
using FsCheck.Fluent;
using IdentityServer.Testing;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Check = IdentityServer.Testing.Check;

namespace IdentityServer.ProtocolTests.BadInput;

/// <summary>
/// Requests that are wrong in every way: the right error, never a 5xx, never a redirect to an unregistered address, never a
/// secret in an answer or in the log.
/// </summary>
public sealed class BadInputTests : AppServerTest, IAsyncLifetime
{
    private const int Generated = 10_000;
    private const string Marker = "hunter2-0123456789-do-not-repeat";

    private static readonly string[] _methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"];

    private static readonly string?[] _contentTypes =
    [
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/x-www-form-urlencoded; charset=",
        "application/json",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "text/plain",
        "nonsense",
        ";;;",
        "",
        null,
    ];

    // No secrets: our pages show or return them on purpose.
    private static readonly string[] _shown = ["client_id", "login_hint", "state"];

    private readonly Answers _answers;
    private Endpoint[] _endpoints = [];
    private string?[] _authorizations = [];

    public BadInputTests(AppServer apps)
        : base(apps)
    {
        string[] registered = [App.RedirectUri, Spa.RedirectUri, Native.RedirectUri];
        _answers = new Answers(registered, [Marker, App.Secret!, Service.Secret!]);
    }

    /// <summary>What a single value can be instead of right: written as it goes over the wire.</summary>
    public static IReadOnlyDictionary<string, Func<string, string?>> Faults { get; } =
        new Dictionary<string, Func<string, string?>>(StringComparer.Ordinal)
        {
            ["missing"] = _ => null,
            ["empty"] = name => $"{name}=",
            ["without a value"] = name => name,
            ["doubled"] = name => $"{name}=x&{name}=x",
            ["doubled, once empty"] = name => $"{name}=&{name}=x",
            ["very long"] = name => $"{name}={new string('a', 5_000)}",
            ["1 MB long"] = name => $"{name}={new string('a', 1_000_000)}",
            ["not UTF-8"] = name => $"{name}=%ff%fe%80",
            ["overlong UTF-8"] = name => $"{name}=%c0%af",
            ["half a surrogate"] = name => $"{name}=%ed%a0%80",
            ["raw bytes"] = name => $"{name}=\u00ff\u00fe",
            ["NUL"] = name => $"{name}=a%00b",
            ["line breaks"] = name => $"{name}=a%0d%0aSet-Cookie:%20x=y",
            ["a broken escape"] = name => $"{name}=%zz%",
            ["spaces"] = name => $"{name}=++%20+",
            ["markup"] = name => $"{name}=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
            ["SQL"] = name => $"{name}='%20OR%20'1'%3D'1';--",
            ["other scripts"] = name => $"{name}=%E4%BD%A0%E5%A5%BD%F0%9F%98%80",
            ["direction marks"] = name => $"{name}=%E2%80%AE%E2%80%8F",
            ["a large number"] = name => $"{name}=99999999999999999999999999",
            ["a negative number"] = name => $"{name}=-1",
            ["a token"] = name => $"{name}=eyJhbGciOiJub25lIn0.e30.",
            ["JSON"] = name => $"{name}=%7B%22userinfo%22%3A%7B%22name%22%3A%5B%5D%7D%7D",
            ["deep JSON"] = name => $"{name}={string.Concat(Enumerable.Repeat("%5B", 1_000))}",
            ["another address"] = name => $"{name}=https%3A%2F%2Fevil.example%2Fcallback",
            ["a secret"] = name => _shown.Contains(name) ? $"{name}=x" : $"{name}={Marker}",
        };

    public async ValueTask InitializeAsync()
    {
        var tokens = await App.SignInAsync(Alice, "openid offline_access", Ct);
        var walk = await App.AuthorizeAsync(NewBrowser(), App.Attempt(), null, Ct);
        var attempt = App.Attempt("openid profile");
        _endpoints =
        [
            new("/connect/authorize", "GET", Audience.Person, [.. attempt.Parameters, .. Optional]),
            new("/connect/authorize", "POST", Audience.Person, [.. attempt.Parameters, .. Optional]),
            new("/connect/authorize", "GET", Audience.Person, attempt.Parameters),
            new("/connect/endsession", "GET", Audience.Person, EndSession(tokens)),
            new("/connect/endsession", "POST", Audience.Person, EndSession(tokens)),
            new(walk.Last.Address.AbsolutePath, "GET", Audience.Person, Query(walk.Last.Address)),
            Token(("grant_type", "client_credentials"), ("scope", "api:read")),
            Token(
                ("grant_type", "authorization_code"),
                ("code", Marker),
                ("redirect_uri", App.RedirectUri),
                ("code_verifier", attempt.Verifier)),
            Token(("grant_type", "refresh_token"), ("refresh_token", Marker), ("scope", "openid")),
            new(
                "/connect/token",
                "POST",
                Audience.Program,
                [
                    new("grant_type", "client_credentials"),
                    new("client_id", Service.ClientId),
                    new("client_secret", Service.Secret!),
                ]),
            new(
                "/connect/token",
                "POST",
                Audience.Program,
                [
                    new("grant_type", "client_credentials"),
                    new("client_id", Service.ClientId),
                    new("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                    new("client_assertion", tokens.IdToken!.Text),
                ]),
            new(
                "/connect/introspect",
                "POST",
                Audience.Program,
                [new("token", tokens.AccessToken!), new("token_type_hint", "access_token")],
                Authenticates: true),
            new(
                "/connect/revocation",
                "POST",
                Audience.Program,
                [new("token", Marker), new("token_type_hint", "refresh_token")],
                Authenticates: true),
            new("/connect/userinfo", "GET", Audience.Bearer, []),
            new("/connect/userinfo", "POST", Audience.Bearer, [new("access_token", tokens.AccessToken!)]),
            new("/.well-known/openid-configuration", "GET", Audience.Program, []),
            new("/.well-known/oauth-authorization-server", "GET", Audience.Program, []),
            new("/.well-known/jwks.json", "GET", Audience.Program, []),
        ];

        var right = RelyingParty.Basic(Service.ClientId, Service.Secret!).ToString();
        _authorizations =
        [
            right,
            RelyingParty.Basic(App.ClientId, App.Secret!).ToString(),
            $"Bearer {tokens.AccessToken}",
            $"bearer  {tokens.AccessToken}",
            "Bearer",
            "Bearer ",
            "Bearer not-a-token",
            $"Bearer {new string('.', 9_000)}",
            $"DPoP {tokens.AccessToken}",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Basic ====",
            Basic("no-colon"),
            Basic(":no-name"),
            Basic("service:"),
            Basic($"service:{Marker}"),
            Basic("service:%zz"),
            Basic("\0:\0"),
            Basic("\u00ff\u00fe:\u00ff"),
            Basic($"{new string('a', 3_000)}:x"),
            $"basic {right[6..]}",
            $"Digest {right[6..]}",
            $"{right}, {right}",
            "\u00ff\u00fe",
            "",
            null,
        ];
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Every_parameter_wrong_in_every_way_gets_the_right_error()
    {
        foreach (var endpoint in _endpoints)
        {
            foreach (var (name, _) in endpoint.Parameters)
            {
                foreach (var fault in Faults.Values)
                {
                    await JudgeAsync(Make(endpoint, endpoint.Parameters.Select(parameter =>
                        parameter.Key == name ? fault(name) : Encode(parameter))));
                }
            }
        }

        AssertLogIsClean();
    }

    [Fact]
    public async Task Every_method_content_type_and_authorization_gets_the_right_error()
    {
        foreach (var endpoint in _endpoints)
        {
            var right = Make(endpoint, endpoint.Parameters.Select(Encode));
            foreach (var method in _methods)
            {
                await JudgeAsync(right with { Method = method });
            }

            foreach (var contentType in _contentTypes)
            {
                await JudgeAsync(right with { ContentType = contentType });
            }

            foreach (var authorization in _authorizations)
            {
                await JudgeAsync(right with { Authorization = authorization });
            }
        }

        AssertLogIsClean();
    }

    [Fact]
    public async Task A_form_that_cannot_be_read_gets_the_error_page()
    {
        string[] bodies = ["x", "%00", "a=%00&b", "\u00f9O|[Y\u00b3\u00f5&\u00ff", "a=1&a=2", new string('a', 3_000), Many(2_000)];
        foreach (var endpoint in _endpoints.Where(endpoint => endpoint.Audience == Audience.Person))
        {
            foreach (var body in bodies)
            {
                foreach (var contentType in _contentTypes.Append("application/x-www-form-urlencoded"))
                {
                    await JudgeAsync(Make(endpoint, [body]) with { Method = "POST", ContentType = contentType });
                }
            }
        }

        AssertLogIsClean();

        static string Many(int count) => string.Join('&', Enumerable.Range(0, count).Select(i => $"p{i}=1"));
    }

    [Fact]
    public void Whatever_is_generated_gets_the_right_error()
    {
        var property = Prop.ForAll(Requests().ToArbitrary(), sent => JudgeAsync(sent).GetAwaiter().GetResult());

        property.Check(Config.QuickThrowOnFailure.WithMaxTest(Generated).WithQuietOnSuccess(true));

        AssertLogIsClean();
    }

    [Fact]
    public async Task A_wrong_method_is_told_the_right_ones()
    {
        using var response = await Server.Http.GetAsync(Provider.Token, Ct);
        var answer = await TokenAnswer.ReadAsync(response, Ct);

        Assert.Equal((405, "invalid_request"), (answer.Status, answer.Error));
        Assert.Equal("POST", string.Join(", ", response.Content.Headers.Allow));
    }

    [Fact]
    public async Task A_page_answers_only_what_it_has_a_handler_for_and_repeats_nothing()
    {
        var pages = Server.Services.GetRequiredService<IActionDescriptorCollectionProvider>().ActionDescriptors.Items
            .Select(page => "/" + page.AttributeRouteInfo!.Template)
            .Where(path => path != "/error")
            .ToArray();
        Assert.Contains("/login/code", pages);
        foreach (var path in pages)
        {
            foreach (var method in new[] { "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW" })
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Server.Address, $"{path}?handle={Marker}&code={Marker}"));
                var page = await new Browser(Server.Http).SendAsync(request, Ct);

                var isTold = page.Header("Allow")?.Contains("GET", StringComparison.Ordinal) == true;
                var isRight = ((int)page.Status, method) switch
                {
                    (204, "OPTIONS") => isTold && page.Text.Length == 0,
                    (405, not "OPTIONS") => isTold && page.IsHtml,
                    (400, not ("OPTIONS" or "TRACE")) => page.IsHtml, // may change something, so it is asked for a form's own token first
                    _ => false,
                };
                Check.That(isRight, $"{page.Status} to {method} {path}");
                Check.That(!page.Text.Contains(Marker, StringComparison.Ordinal), $"{method} {path} is repeated.");
            }
        }

        AssertLogIsClean();
    }

    [Theory]
    [InlineData("/account?handler=nothing")]
    [InlineData("/account")]
    [InlineData("/login/step-up")]
    public async Task A_form_that_no_page_has_is_told_what_there_is(string path)
    {
        var browser = new Browser(Server.Http);
        var form = (await browser.OpenAsync(new Uri(Server.Address, "/login"), Ct)).SignInForm!;
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Server.Address, path))
        {
            Content = new FormUrlEncodedContent(
                [new("__RequestVerificationToken", ((IHtmlInputElement)form["__RequestVerificationToken"]!).Value)]),
        };

        var page = await browser.SendAsync(request, Ct);

        Assert.Equal((405, true), ((int)page.Status, page.IsHtml));
        AssertLogIsClean();
    }

    [Fact]
    public async Task A_body_that_is_no_form_is_415_and_one_that_is_too_large_is_413()
    {
        using var json = new StringContent("""{"grant_type":"client_credentials"}""", Encoding.UTF8, "application/json");
        using var large = new StringContent(
            $"grant_type={new string('a', 2_000_000)}", Encoding.UTF8, "application/x-www-form-urlencoded");

        using var unsupported = await Server.Http.PostAsync(Provider.Token, json, Ct);
        using var request = new HttpRequestMessage(HttpMethod.Post, Provider.Token) { Content = large };
        request.Headers.ExpectContinue = true;
        using var tooLarge = await Server.Http.SendAsync(request, Ct);

        Assert.Equal(415, (int)unsupported.StatusCode);
        Assert.Equal(413, (int)tooLarge.StatusCode);
        Assert.Equal("invalid_request", (await TokenAnswer.ReadAsync(unsupported, Ct)).Error);
        Assert.Equal("invalid_request", (await TokenAnswer.ReadAsync(tooLarge, Ct)).Error);
    }

    [Fact]
    public async Task A_body_without_a_declared_length_is_bounded_too()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Provider.Token);
        request.Headers.TransferEncodingChunked = true;
        request.Content = new ByteArrayContent(Encoding.ASCII.GetBytes($"grant_type={new string('a', 200_000)}"));
        request.Content.Headers.ContentType = new("application/x-www-form-urlencoded");

        using var response = await Server.Http.SendAsync(request, Ct);

        Assert.Equal(413, (int)response.StatusCode);
        Assert.Equal("invalid_request", (await TokenAnswer.ReadAsync(response, Ct)).Error);
    }

    [Theory]
    [InlineData("grant_type", "invalid_request")]
    [InlineData("code", "invalid_request")]
    [InlineData("code_verifier", "invalid_request")]
    public async Task A_missing_parameter_is_named(string name, string error)
    {
        var endpoint = _endpoints.First(candidate => candidate.Parameters.Any(parameter => parameter.Key == "code"));
        var walk = await App.AuthorizeAsync(NewBrowser(), App.Attempt(), Alice, Ct);
        var parameters = endpoint.Parameters.Where(parameter => parameter.Key != name)
            .Select(parameter => parameter.Key == "code" ? KeyValuePair.Create("code", walk.Code) : parameter);

        var answer = await App.TokenAsync(parameters, Ct);

        Check.TokenError(answer, error);
        Assert.Contains(name, (string?)answer.Json["error_description"], StringComparison.Ordinal);
    }

    private static KeyValuePair<string, string>[] Optional { get; } =
    [
        new("response_mode", "query"),
        new("prompt", "login"),
        new("max_age", "60"),
        new("ui_locales", "zh-Hans en"),
        new("claims_locales", "en"),
        new("login_hint", "alice"),
        new("acr_values", "1 2"),
        new("display", "page"),
        new("claims", """{"userinfo":{"name":null}}"""),
        new("resource", "https://api.example"),
    ];

    private KeyValuePair<string, string>[] EndSession(TokenAnswer tokens) =>
    [
        new("id_token_hint", tokens.IdToken!.Text),
        new("client_id", App.ClientId),
        new("post_logout_redirect_uri", App.PostLogoutRedirectUri),
        new("state", "s"),
        new("logout_hint", "alice"),
        new("ui_locales", "en"),
    ];

    private static Endpoint Token(params (string Name, string Value)[] parameters) => new(
        "/connect/token",
        "POST",
        Audience.Program,
        [.. parameters.Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value))],
        Authenticates: true);

    private static List<KeyValuePair<string, string>> Query(Uri address) =>
    [
        .. address.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair =>
        {
            var parts = pair.Split('=', 2);
            return KeyValuePair.Create(parts[0], Uri.UnescapeDataString(parts[^1]));
        }),
    ];

    private Sent Make(Endpoint endpoint, IEnumerable<string?> parts) => new()
    {
        Endpoint = endpoint,
        Method = endpoint.Method,
        Encoded = string.Join('&', parts.Where(part => part is not null)),
        Authorization = !endpoint.Authenticates ? null
            : endpoint.Parameters.Any(parameter => parameter.Value == "client_credentials")
                ? RelyingParty.Basic(Service.ClientId, Service.Secret!).ToString()
                : RelyingParty.Basic(App.ClientId, App.Secret!).ToString(),
    };

    /// <summary>An endpoint, any number of its parameters wrong, and now and then wrong headers, methods and strangers.</summary>
    private Gen<Sent> Requests()
    {
        var faults = Faults.Where(fault => fault.Key != "1 MB long").Select(fault => fault.Value).ToArray();
        var large = Faults["1 MB long"];
        var fault = Gen.Frequency((400, Gen.Elements(faults)), (1, Gen.Constant(large)));
        var names = _endpoints.SelectMany(endpoint => endpoint.Parameters).Select(parameter => parameter.Key)
            .Append("x").Append("request").Append("request_uri").Append("registration").Append("handle")
            .Distinct(StringComparer.Ordinal).ToArray();
        var stranger = from name in Gen.Elements(names)
                       from wrong in fault
                       select wrong(name);
        var noise = from bytes in ArbMap.Default.GeneratorFor<byte>().ArrayOf()
                    select new string([.. bytes.Select(value => (char)value)]);

        return from endpoint in Gen.Elements(_endpoints)
               from parts in Parts(endpoint, fault)
               from strangers in Gen.Frequency(
                   (3, Gen.Constant<string?[]>([])),
                   (1, stranger.ArrayOf(2)),
                   (1, noise.Select(text => new string?[] { text })))
               from order in Gen.Shuffle(parts.Concat(strangers).ToArray())
               from method in Mostly(endpoint.Method, Gen.Elements(_methods))
               from contentType in Mostly<string?>("application/x-www-form-urlencoded", Gen.Elements(_contentTypes))
               from authorization in Mostly(Make(endpoint, []).Authorization, Gen.Elements(_authorizations))
               from origin in Mostly<string?>(null, Gen.Elements<string?>("null", "https://spa.example", "\u00ff", "x"))
               select Make(endpoint, order) with
               {
                   Method = method,
                   ContentType = contentType,
                   Authorization = authorization,
                   Origin = origin,
               };
    }

    private static Gen<string?[]> Parts(Endpoint endpoint, Gen<Func<string, string?>> fault) =>
        Gen.CollectToArray(endpoint.Parameters, parameter => Gen.Frequency(
            (4, Gen.Constant<string?>(Encode(parameter))),
            (1, fault.Select(wrong => wrong(parameter.Key)))));

    private static Gen<T> Mostly<T>(T usual, Gen<T> other) => Gen.Frequency((6, Gen.Constant(usual)), (1, other));

    private static string Encode(KeyValuePair<string, string> parameter) =>
        $"{parameter.Key}={Uri.EscapeDataString(parameter.Value)}";

    private static string Basic(string credentials) =>
        string.Create(CultureInfo.InvariantCulture, $"Basic {Convert.ToBase64String(Encoding.Latin1.GetBytes(credentials))}");

    private async Task JudgeAsync(Sent sent)
    {
        var answer = await sent.SendAsync(Server.Http, Server.Address, Ct);
        Check.That((int)answer.Status < 500, $"{(int)answer.Status} to {sent}\n{string.Join('\n', Server.Log.Errors)}");
        _answers.Judge(sent, answer);
    }

    private void AssertLogIsClean()
    {
        Assert.True(Server.Log.Errors.Count == 0, string.Join('\n', Server.Log.Errors));
        var log = Server.Log.Text;
        Assert.DoesNotContain(Marker, log, StringComparison.Ordinal);
        Assert.DoesNotContain(App.Secret!, log, StringComparison.Ordinal);
        Assert.DoesNotContain(Service.Secret!, log, StringComparison.Ordinal);
        Assert.DoesNotContain(Alice.Password, log, StringComparison.Ordinal);
    }
}
