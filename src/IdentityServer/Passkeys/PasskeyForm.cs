namespace IdentityServer.Passkeys;

/// <summary>The form that a page's script fills in with what the authenticator answered; <c>_PasskeyForm.cshtml</c> shows it.</summary>
/// <param name="Button">What the button says.</param>
/// <param name="IsNew">It makes a passkey; otherwise it uses one.</param>
public sealed record PasskeyForm(string Button, bool IsNew)
{
    /// <summary>Longest name, in UTF-16 units; longer ones are cut.</summary>
    public const int LongestName = 60;

    /// <summary>The only thing, or the first, that the page asks for: the filled button.</summary>
    public bool IsMain { get; init; }

    /// <summary>Passkeys are also offered where the user name is typed.</summary>
    public bool Autofills { get; init; }

    /// <summary>The page has a box <em>keep me signed in</em>.</summary>
    public bool Keeps { get; init; }

    /// <summary>What the new passkey is called, to be changed; <see langword="null"/>: it is not asked for.</summary>
    public string? Name { get; init; }

    /// <summary>What was typed as a name, or the given one when that was nothing.</summary>
    public static string NameOf(string? typed, string otherwise)
    {
        var name = typed?.Trim() ?? "";
        if (name.Length > LongestName)
        {
            name = name[..(char.IsHighSurrogate(name[LongestName - 1]) ? LongestName - 1 : LongestName)].TrimEnd();
        }

        return Protocol.Clients.Identifiers.DisplayFault(name) is null ? name : otherwise;
    }
}
