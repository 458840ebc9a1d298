using IdentityServer.Protocol.Audit;

namespace IdentityServer.Protocol.Scopes;

/// <summary>Where scopes and APIs are kept. OpenID Connect's own scopes are not rows; <see cref="StandardScopes"/> has them.</summary>
public interface IScopeStore
{
    ValueTask<IReadOnlyList<Scope>> ListScopesAsync(CancellationToken ct);

    ValueTask<IReadOnlyList<ApiResource>> ListApisAsync(CancellationToken ct);

    /// <summary>False when the name is taken.</summary>
    ValueTask<bool> AddScopeAsync(Scope scope, AuditEvent audit, CancellationToken ct);

    /// <summary>False when the name is taken.</summary>
    ValueTask<bool> AddApiAsync(ApiResource api, AuditEvent audit, CancellationToken ct);
}
