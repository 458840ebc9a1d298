using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace IdentityServer.ResourceServer.Tokens;

/// <summary>The token's scopes are one claim, separated by spaces (RFC 9068 §2.2.3).</summary>
internal sealed class ScopeRequirement(string scope) : AuthorizationHandler<ScopeRequirement>, IAuthorizationRequirement
{
    public string Scope => scope;

    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ScopeRequirement requirement)
    {
        if (context.User.FindFirst("scope")?.Value.Split(' ').Contains(requirement.Scope, StringComparer.Ordinal) == true)
        {
            context.Succeed(requirement);
        }
        else if (context.Resource is HttpContext http)
        {
            // For the answer.
            http.Items[typeof(ScopeRequirement)] = requirement.Scope;
        }

        return Task.CompletedTask;
    }
}
