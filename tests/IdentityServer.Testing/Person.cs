namespace IdentityServer.Testing;

/// <summary>Somebody who can sign in.</summary>
/// <param name="UserName">What is typed as user name.</param>
/// <param name="Password">What is typed as password.</param>
public sealed record Person(string UserName, string Password)
{
    /// <summary>The authenticator app they carry, if any: a walk through the pages types its codes.</summary>
    public AuthenticatorApp? App { get; init; }
}
