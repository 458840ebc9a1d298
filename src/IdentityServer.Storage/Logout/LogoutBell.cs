namespace IdentityServer.Storage.Logout;

/// <summary>Rung by every ending on this node, so that clients are told at once.</summary>
public sealed class LogoutBell : Bell;
