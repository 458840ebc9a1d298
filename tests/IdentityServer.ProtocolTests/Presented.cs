using IdentityServer.Protocol.Revocations;

namespace IdentityServer.ProtocolTests;

/// <summary>A token of which only the <c>jti</c> matters.</summary>
internal sealed record Presented(string Id) : IEndable
{
    public string? GrantId => null;

    public string? SessionId => null;

    public string Subject => "nobody";

    public string ClientId => "nothing";

    public long Epoch => 0;
}
