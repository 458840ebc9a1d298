using IdentityServer.Passkeys;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Passkeys;

public sealed class PasskeyDomainTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_an_address_there_are_no_passkeys_and_the_log_says_so_once()
    {
        await using var server = await ServerFixture.StartAsync(Ct);

        Assert.False(server.Services.GetRequiredService<PasskeyDomain>().IsOn);
        Assert.Equal(1, server.Log.Text.Split(PasskeyDomain.WhyOff).Length - 1);
    }
}
