using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace IdentityServer.UnitTests;

/// <summary>Rooms are folders, so doors are <c>using</c> lines (docs/architecture.md, "Rooms and doors").</summary>
public sealed partial class ArchitectureTests
{
    private const string Protocol = "IdentityServer.Protocol";

    /// <summary>Which room opens which. Endpoint rooms open shared rooms only; a new door is a line here that a reviewer sees.</summary>
    private static readonly Dictionary<string, string[]> Doors = new(StringComparer.Ordinal)
    {
        // endpoint rooms
        ["Authorize"] = ["Audit", "Clients", "Consents", "Grants", "Issuance", "Pending", "Scopes", "Sessions", "Subjects"],
        ["Discovery"] = ["Clients", "Keys", "Scopes", "Sessions", "Subjects"],
        ["EndSession"] = ["Clients", "Issuance", "Pending", "Revocations", "Sessions"],
        ["Introspect"] = ["Clients", "Grants", "Issuance", "Scopes"],
        ["RevocationFeed"] = ["Changes", "Issuance", "Revocations", "Scopes"],
        ["Revoke"] = ["Clients", "Grants", "Issuance", "Revocations"],
        ["Token"] = ["Audit", "Clients", "Grants", "Issuance", "Revocations", "Scopes"],
        ["UserInfo"] = ["Clients", "Grants", "Issuance", "Scopes", "Subjects"],

        // shared rooms
        ["Audit"] = [],
        ["Changes"] = [],
        ["Clients"] = ["Audit", "Changes", "Scopes"],
        ["Consents"] = ["Audit"],
        ["Grants"] = ["Audit"],
        ["Issuance"] = ["Audit", "Changes", "Clients", "Grants", "Keys", "Revocations", "Scopes", "Subjects"],
        ["Keys"] = ["Audit", "Changes", "Clients", "Revocations"],
        ["Pending"] = [],
        ["Revocations"] = ["Audit", "Changes", "Clients", "Grants"],
        ["Scopes"] = ["Audit", "Changes"],
        ["Sessions"] = ["Audit"],
        ["Subjects"] = ["Scopes"],
    };

    private static readonly string[] EndpointRooms =
        ["Authorize", "Discovery", "EndSession", "Introspect", "RevocationFeed", "Revoke", "Token", "UserInfo"];

    public static TheoryData<string> Rooms => [.. Directory.EnumerateDirectories(Source(Protocol))
        .Select(path => Path.GetFileName(path))
        .Where(name => name is not ("bin" or "obj"))];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_opens_only_its_own_doors(string room)
    {
        Assert.True(Doors.TryGetValue(room, out var allowed), $"The room {room} has no row in the table of doors.");
        Assert.Empty(DoorsIn(Path.Combine(Source(Protocol), room)).Where(door => door != room).Except(allowed, StringComparer.Ordinal));
    }

    [Fact]
    public void An_endpoint_room_never_opens_another() =>
        Assert.Empty(EndpointRooms.SelectMany(room => Doors[room]).Intersect(EndpointRooms, StringComparer.Ordinal));

    [Fact]
    public void The_table_names_only_doors_that_are_used() => Assert.All(Doors, row => Assert.Empty(
        row.Value.Except(DoorsIn(Path.Combine(Source(Protocol), row.Key)), StringComparer.Ordinal)));

    [Theory]
    [InlineData("IdentityServer.Protocol", "Microsoft.AspNetCore|Microsoft.EntityFrameworkCore|IdentityServer.Storage")]
    [InlineData("IdentityServer.Storage", "Microsoft.AspNetCore.Http|Microsoft.AspNetCore.Mvc|IdentityServer.SignIn|IdentityServer.Commands")]
    [InlineData("IdentityServer.ResourceServer", "IdentityServer.Protocol|IdentityServer.Storage|Microsoft.EntityFrameworkCore")]
    public void A_project_keeps_to_its_layer(string project, string forbidden) => Assert.DoesNotContain(
        FilesIn(Source(project)),
        file => Regex.IsMatch(File.ReadAllText(file), $@"\busing ({forbidden})", RegexOptions.None, TimeSpan.FromSeconds(5)));

    [Fact]
    public void Nobody_hides_a_door_in_a_global_using() => Assert.DoesNotContain(
        FilesIn(Source("")).Concat(Directory.EnumerateFiles(Source(""), "*.csproj", SearchOption.AllDirectories)),
        file => Regex.IsMatch(File.ReadAllText(file), @"global using IdentityServer|<Using Include=""IdentityServer", RegexOptions.None, TimeSpan.FromSeconds(5)));

    /// <summary>Whoever ends something some other way tells no node, no app and no receipt of it.</summary>
    [Theory]
    [InlineData("IRevocationStore", "IReceiptStore IRevocationStore RevocationStore Revoker StorageServices")]
    [InlineData(@"SetProperty\(\w+ => \w+\.EndedAt|OfflineEndedAt\), at\)|SET ""(Offline)?EndedAt""", "CutoffMarks RevocationStore StoredClientChange")]
    [InlineData(@"\bRevocations\.Add\(|INSERT INTO ""Revocations""|Insert\(\s*""Revocations""", "Cutoffs KeyStore RevocationStore")]
    [InlineData(@"\.CutAsync\(", "RevocationStore")]
    [InlineData(@"\bReceipts\.Add\(", "ReceiptRows")]
    [InlineData(@"\bEnded = ", "KeyRollover")]
    public void Only_the_revoker_ends_anything(string deed, string files) => Assert.Equal(
        files.Split(' '),
        FilesIn(Source(""))
            .Where(file => !file.Contains("/Migrations/", StringComparison.Ordinal)
                && !file.Contains("/IdentityServer.ResourceServer/", StringComparison.Ordinal)
                && Regex.IsMatch(File.ReadAllText(file), deed, RegexOptions.None, TimeSpan.FromSeconds(5)))
            .Select(Path.GetFileNameWithoutExtension)
            .Order(StringComparer.Ordinal));

    private static IEnumerable<string> DoorsIn(string folder) => FilesIn(folder)
        .SelectMany(file => Door().Matches(File.ReadAllText(file)))
        .Select(match => match.Groups["room"].Value)
        .Where(Doors.ContainsKey)
        .Distinct(StringComparer.Ordinal);

    private static IEnumerable<string> FilesIn(string folder) => Directory
        .EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    private static string Source(string project, [CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", "src", project));

    // By name in full, or from inside the root namespace by the room's name alone.
    [GeneratedRegex(@"IdentityServer\.Protocol\.(?<room>[A-Z]\w+)|(?<![\w.""])(?<room>[A-Z]\w+)\.[A-Z]\w+(?=[;\s(<>?,)])", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Door();
}
