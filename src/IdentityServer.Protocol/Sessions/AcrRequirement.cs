namespace IdentityServer.Protocol.Sessions;

/// <summary>How strongly a request wants the person signed in: by <c>acr_values</c>, the <c>claims</c> parameter, or the client's registration.</summary>
/// <param name="Acceptable">Any of these will do, the preferred first; values we do not know are left out. Empty: whatever there is.</param>
/// <param name="Minimum">The client's own floor, which no request lowers; <see langword="null"/>: none.</param>
/// <param name="IsEssential">Without one of <paramref name="Acceptable"/> the request is refused.</param>
public sealed record AcrRequirement(IReadOnlyList<string> Acceptable, string? Minimum, bool IsEssential)
{
    public static AcrRequirement None { get; } = new([], Minimum: null, IsEssential: false);

    /// <summary>True when a sign-in of that class will do.</summary>
    public bool IsMetBy(string acr) => MeetsMinimum(acr) && (Acceptable.Count == 0 || Acceptable.Any(wanted => AcrValues.Satisfies(acr, wanted)));

    /// <summary>True when the request is answered even if the person wants no stronger sign-in.</summary>
    public bool MayProceedWith(string acr) => MeetsMinimum(acr) && (!IsEssential || IsMetBy(acr));

    /// <summary>The <c>acr</c> to claim: the one preferred among those the sign-in satisfies, else what it is.</summary>
    public string Claim(string acr) => Acceptable.FirstOrDefault(wanted => AcrValues.Satisfies(acr, wanted)) ?? acr;

    private bool MeetsMinimum(string acr) => Minimum is null || AcrValues.Satisfies(acr, Minimum);
}
