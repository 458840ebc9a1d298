using System.Text.RegularExpressions;
using System.Xml.Linq;
using IdentityServer.Layout;
using IdentityServer.Testing;

namespace IdentityServer.BrowserTests;

public sealed partial class TextsTests
{
    private static readonly Dictionary<string, string> _english = Read("Texts.resx");
    private static readonly Dictionary<string, string> _chinese = Read("Texts.zh-Hans.resx");

    [Fact]
    public void Every_text_is_in_both_languages_with_the_same_places_to_fill()
    {
        Assert.Equal(_english.Keys.Order(), _chinese.Keys.Order());
        foreach (var (key, text) in _english)
        {
            Assert.False(string.IsNullOrWhiteSpace(_chinese[key]), key);
            Assert.Equal((key, PlacesOf(text)), (key, PlacesOf(_chinese[key])));
        }
    }

    [Fact]
    public void Every_text_that_a_page_names_exists_and_every_text_is_named()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", "IdentityServer"), "*.cs*", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));
        var code = string.Concat(sources.Select(File.ReadAllText));
        var named = Named().Matches(code).Select(match => match.Groups["key"].Value).ToHashSet(StringComparer.Ordinal);

        Assert.Empty(named.Except(_english.Keys));

        // Made from the names of cases: errors, and reasons against a password.
        var forgotten = _english.Keys.Where(key =>
            !code.Contains($"\"{key}\"", StringComparison.Ordinal)
            && !key.StartsWith("Error_", StringComparison.Ordinal)
            && !key.StartsWith("Password", StringComparison.Ordinal)).ToArray();
        Assert.Empty(forgotten);
        foreach (var kind in Enum.GetNames<Errors.ErrorKind>())
        {
            Assert.All(["", "_Lead", "_What", "_Do"], part => Assert.Contains($"Error_{kind}{part}", _english.Keys));
        }

        Assert.All(
            Enum.GetNames<SignIn.PasswordFault>().Where(fault => fault != nameof(SignIn.PasswordFault.None)),
            fault => Assert.Contains("Password" + fault, _english.Keys));
    }

    [Theory]
    [InlineData("zh", "zh-Hans")]
    [InlineData("zh-CN", "zh-Hans")]
    [InlineData("ZH-hans-sg", "zh-Hans")]
    [InlineData("zh-SG", "zh-Hans")]
    [InlineData("zh-TW", null)]
    [InlineData("zh-Hant", null)]
    [InlineData("en-AU", "en")]
    [InlineData("de-DE", null)]
    [InlineData("de zh-CN en", "zh-Hans")]
    [InlineData("zh-TW en", "en")]
    [InlineData("*", null)]
    [InlineData("- -- zh--", "zh-Hans")]
    public void A_wish_finds_the_nearest_language(string wish, string? language) =>
        Assert.Equal(language, UiLanguage.Match(wish.Split(' '))?.Tag);

    [Fact]
    public void Every_language_that_metadata_promises_is_there() => Assert.Equal(
        new Protocol.ProtocolOptions { Issuer = "https://id.example" }.UiLocales, UiLanguage.All.Select(language => language.Tag));

    private static string PlacesOf(string text) =>
        string.Join(' ', Places().Matches(text).Select(match => match.Groups["place"].Value).Distinct(StringComparer.Ordinal).Order());

    private static Dictionary<string, string> Read(string file) =>
        XDocument.Load(Path.Combine(Repository.Root, "src", "IdentityServer", "Resources", file)).Root!.Elements("data")
            .ToDictionary(entry => entry.Attribute("name")!.Value, entry => entry.Element("value")!.Value, StringComparer.Ordinal);

    [GeneratedRegex(@"\{(?<place>\d)[:}]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Places();

    [GeneratedRegex(@"\b(T|texts)\[""(?<key>[A-Za-z_]+)""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Named();
}
