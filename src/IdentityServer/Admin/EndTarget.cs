namespace IdentityServer.Admin;

/// <summary>What somebody at the console wants to end.</summary>
/// <param name="Name">One of <c>sid person client before all</c>: also the field of the form and the parameter of the address.</param>
/// <param name="Value">Which.</param>
internal sealed record EndTarget(string Name, string Value)
{
    public const string Session = "sid";
    public const string Person = "person";
    public const string Client = "client";
    public const string Before = "before";
    public const string All = "all";

    /// <summary>What was asked for: exactly one, or <see langword="null"/>. A request without any would otherwise end everything.</summary>
    public static EndTarget? Of(string? sid, string? person, string? client, string? before, string? all)
    {
        EndTarget?[] asked = [Named(Session, sid), Named(Person, person), Named(Client, client), Named(Before, before), Named(All, all)];
        return asked.Count(one => one is not null) == 1 ? asked.Single(one => one is not null) : null;
    }

    /// <summary>Who may end it: what one person has, or what many have.</summary>
    public AdminArea Area => Name is Session or Person ? AdminArea.Sessions : AdminArea.ManySessions;

    private static EndTarget? Named(string name, string? value) => string.IsNullOrWhiteSpace(value) ? null : new(name, value.Trim());
}
