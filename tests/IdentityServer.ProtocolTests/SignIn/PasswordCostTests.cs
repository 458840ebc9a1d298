using IdentityServer.Configuration;
using IdentityServer.SignIn;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace IdentityServer.ProtocolTests.SignIn;

/// <summary>Servers in tests hash cheaply; the real one does not.</summary>
public sealed class PasswordCostTests
{
    [Fact]
    public void A_password_costs_at_least_210_000_rounds()
    {
        var services = new ServiceCollection();
        services.AddPasswords(new ServerSettings());
        using var provider = services.BuildServiceProvider();

        Assert.InRange(provider.GetRequiredService<IOptions<PasswordHasherOptions>>().Value.IterationCount, 210_000, int.MaxValue);
    }
}
