namespace IdentityServer.Keys;

/// <summary>The master key cannot be used. The message is for the operator: what is wrong, and what to do.</summary>
public sealed class MasterKeyException(string message) : Exception(message);
