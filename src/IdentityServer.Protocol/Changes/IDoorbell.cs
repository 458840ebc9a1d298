namespace IdentityServer.Protocol.Changes;

/// <summary>Rings when another node wrote to the change log, so that this one looks sooner. Nothing depends on it: every node looks anyway.</summary>
public interface IDoorbell
{
    /// <summary>Completes when it rang since the last call; where there is no bell, only when <paramref name="ct"/> says stop.</summary>
    Task WaitAsync(CancellationToken ct);
}
