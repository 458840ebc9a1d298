using System.Collections.Frozen;
using FsCheck;
using FsCheck.Fluent;
using IdentityServer.Protocol.Authorize;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Pending;
using IdentityServer.Protocol.Sessions;

namespace IdentityServer.UnitTests.Authorize;

public sealed class NextStepTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Without_a_session_the_person_signs_in() => Assert.IsType<NextStep.SignIn>(Decide(Request(), null));

    [Fact]
    public void With_a_session_and_consent_it_proceeds() => Assert.IsType<NextStep.Proceed>(Decide(Request(), SignedIn(1)));

    [Fact]
    public void Prompt_none_never_shows_a_page()
    {
        Assert.Equal("login_required", Refused(Decide(Request() with { IsSilent = true }, null)));
        Assert.Equal("login_required", Refused(Decide(Request() with { IsSilent = true, MaxAge = TimeSpan.FromSeconds(1) }, SignedIn(5))));
        Assert.Equal("login_required", Refused(Decide(Request() with { IsSilent = true, ExpectedSubject = "bob" }, SignedIn(5))));
        Assert.Equal("consent_required", Refused(Decide(Request() with { IsSilent = true }, SignedIn(5), consented: [])));
    }

    [Fact]
    public void A_sign_in_made_for_this_request_satisfies_prompt_login_and_max_age()
    {
        var request = Request() with { ForcesSignIn = true, MaxAge = TimeSpan.Zero, StartedAt = Now.AddMinutes(-5) };
        Assert.IsType<NextStep.SignIn>(Decide(request, SignedIn(secondsAgo: 301)));
        Assert.IsType<NextStep.Proceed>(Decide(request, SignedIn(secondsAgo: 200)));
    }

    [Fact]
    public void Another_person_than_expected_is_asked_once_and_then_refused()
    {
        var request = Request() with { ExpectedSubject = "bob", StartedAt = Now.AddMinutes(-5) };
        Assert.IsType<NextStep.SignIn>(Decide(request, SignedIn(secondsAgo: 600)));
        Assert.Equal("login_required", Refused(Decide(request, SignedIn(secondsAgo: 10))));
    }

    [Fact]
    public void An_answer_given_in_another_session_does_not_count()
    {
        var answered = Pending() with { AnsweredSessionId = "other", AllowedScopes = ["openid"] };
        Assert.IsType<NextStep.AskConsent>(Decide(Request(), SignedIn(1), consented: [], pending: answered));
    }

    [Fact]
    public void The_person_may_allow_less_than_was_asked()
    {
        var answered = Pending() with { AnsweredSessionId = "sid", AllowedScopes = ["openid"] };
        Assert.Equal(["openid"], Assert.IsType<NextStep.Proceed>(Decide(Request(), SignedIn(1), consented: [], pending: answered)).Scopes);
        Assert.Equal("access_denied", Refused(Decide(Request(), SignedIn(1), consented: [], pending: answered with { AllowedScopes = [] })));
    }

    [Fact]
    public void Choosing_an_account_is_asked_once()
    {
        var request = Request() with { ForcesChoice = true };
        Assert.IsType<NextStep.ChooseAccount>(Decide(request, SignedIn(60)));
        Assert.IsType<NextStep.Proceed>(Decide(request, SignedIn(60), pending: Pending() with { ChosenSessionId = "sid" }));
    }

    [Fact]
    public void Never_more_is_allowed_than_asked_consented_or_answered() => Prop.ForAll(
        ArbMap.Default.ArbFor<(bool Silent, bool Login, bool Consent, bool Choice, bool HasSession, bool Answered, int Age, int Max)>(),
        given =>
        {
            var request = Request() with
            {
                IsSilent = given.Silent,
                ForcesSignIn = given.Login,
                ForcesConsent = given.Consent,
                ForcesChoice = given.Choice,
                MaxAge = given.Max < 0 ? null : TimeSpan.FromSeconds(given.Max),
            };
            var session = given.HasSession ? SignedIn(Math.Abs((long)given.Age)) : null;
            var pending = given.Answered ? Pending() with { AnsweredSessionId = "sid", AllowedScopes = ["openid", "admin"] } : null;
            var step = NextStep.Decide(request, session, ["openid"], pending, Now);

            return step switch
            {
                NextStep.Proceed proceed => session is not null && proceed.Scopes.All(scope => request.Scopes.Contains(scope)) && given.Answered,
                NextStep.Refuse => true,
                _ => !given.Silent,
            };
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    private static NextStep Decide(
        AuthorizeRequest request, Session? session, IReadOnlyList<string>? consented = null, PendingRequest? pending = null) =>
        NextStep.Decide(request, session, consented ?? ["openid", "profile"], pending, Now);

    private static string Refused(NextStep step) => Assert.IsType<NextStep.Refuse>(step).Error.Code;

    private static AuthorizeRequest Request() => new()
    {
        Client = new Client { Id = "app", Name = "App", Type = ClientType.Web, AuthMethod = ClientAuthMethods.Basic, Scopes = FrozenSet.Create("openid", "profile") },
        ReturnTo = new ReturnAddress("https://app.example/cb", ResponseMode.Query, null),
        Scopes = ["openid", "profile"],
        CodeChallenge = new string('a', 43),
        StartedAt = Now,
    };

    private static Session SignedIn(long secondsAgo) => new()
    {
        Id = "sid",
        Subject = "alice",
        AuthenticatedAt = Now.AddSeconds(-secondsAgo),
        Amr = ["pwd"],
        Acr = AcrValues.Password,
        CreatedAt = Now.AddSeconds(-secondsAgo),
        LastSeenAt = Now,
        IdleLifetime = TimeSpan.FromHours(1),
        ExpiresAt = Now.AddHours(12),
    };

    private static PendingRequest Pending() => new()
    {
        Hash = "h",
        ClientId = "app",
        Parameters = new Dictionary<string, string>(StringComparer.Ordinal),
        StartedAt = Now,
        ExpiresAt = Now.AddHours(1),
    };
}
