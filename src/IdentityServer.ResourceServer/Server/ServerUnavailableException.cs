namespace IdentityServer.ResourceServer.Server;

/// <summary>The server could not be asked, or gave no answer that can be used. It may be better in a moment.</summary>
internal sealed class ServerUnavailableException(string message, Exception? cause = null) : Exception(message, cause);
