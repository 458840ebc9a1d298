namespace IdentityServer.Testing;

/// <summary>The server did something a specification forbids, or a browser or relying party would refuse.</summary>
public sealed class CheckFailedException : Exception
{
    public CheckFailedException()
    {
    }

    public CheckFailedException(string message)
        : base(message)
    {
    }

    public CheckFailedException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
