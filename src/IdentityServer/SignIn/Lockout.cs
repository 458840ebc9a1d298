namespace IdentityServer.SignIn;

/// <summary>How wrong passwords lock an account: after every tenth in a row, each time for twice as long.</summary>
public static class Lockout
{
    private const int Every = 10;
    private static readonly TimeSpan First = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    /// <summary>For how long this many failures in a row lock the account; <see langword="null"/>: not now.</summary>
    public static TimeSpan? After(int failures)
    {
        if (failures == 0 || failures % Every != 0)
        {
            return null;
        }

        var doublings = Math.Min((failures / Every) - 1, 16);
        var time = First * (1 << doublings);
        return time < Longest ? time : Longest;
    }
}
