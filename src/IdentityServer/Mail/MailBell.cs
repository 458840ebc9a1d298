using System.Threading.Channels;

namespace IdentityServer.Mail;

/// <summary>Rung by whoever stored a mail on this node, so that it goes at once; the mails of other nodes are found by looking.</summary>
public sealed class MailBell
{
    private readonly Channel<bool> _rung = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Ring() => _rung.Writer.TryWrite(true);

    /// <summary>Comes back when it was rung, or after that time.</summary>
    internal async Task WaitAsync(TimeSpan longest, TimeProvider clock, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(longest, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            await _rung.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // Nobody rang: time to look.
        }
    }
}
