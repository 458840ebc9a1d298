namespace IdentityServer.Protocol.Revocations;

/// <summary>
/// A change of a person that ends what they had, in one transaction with the ending: a new password, a barred account. Only storage knows
/// the kinds, as they touch what only storage has.
/// </summary>
public abstract record PersonChange;

/// <summary>The same of a client: it was removed, or disabled.</summary>
public abstract record ClientChange;
