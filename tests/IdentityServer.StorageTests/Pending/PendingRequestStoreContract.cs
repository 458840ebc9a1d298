using IdentityServer.Protocol;
using IdentityServer.Protocol.Pending;
using IdentityServer.Storage;

namespace IdentityServer.StorageTests.Pending;

public sealed class PendingRequestStoreContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_request_waits_until_its_end(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var requests = storage.Get<IPendingRequestStore>();
        var request = Request();

        await requests.SaveAsync(request, Ct);

        Assert.Equivalent(request, await requests.FindAsync(request.Hash, Samples.Now, Ct), strict: true);
        Assert.Null(await requests.FindAsync(request.Hash, request.ExpiresAt, Ct));
        Assert.Null(await requests.FindAsync(Handle.Create().Hash, Samples.Now, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_request_done_with_is_gone(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var requests = storage.Get<IPendingRequestStore>();
        var request = Request();
        await requests.SaveAsync(request, Ct);

        await requests.RemoveAsync(request.Hash, Ct);
        await requests.RemoveAsync(request.Hash, Ct);

        Assert.Null(await requests.FindAsync(request.Hash, Samples.Now, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Answers_are_kept(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var requests = storage.Get<IPendingRequestStore>();
        var request = Request() with { ClientId = null };
        await requests.SaveAsync(request, Ct);
        var answered = request with { ChosenSessionId = "s1", AnsweredSessionId = "s2", AllowedScopes = ["openid"] };

        await requests.AnswerAsync(answered, Ct);

        Assert.Equivalent(answered, await requests.FindAsync(request.Hash, Samples.Now, Ct), strict: true);
    }

    private static PendingRequest Request() => new()
    {
        Hash = Handle.Create().Hash,
        ClientId = "web",
        Parameters = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["state"] = "ä\"\\ 😀 </script>",
            ["scope"] = "openid",
            ["empty"] = "",
        },
        StartedAt = Samples.Now,
        ExpiresAt = Samples.Now.AddHours(1),
    };
}
