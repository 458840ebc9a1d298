using System.Text;
using IdentityServer.SignIn;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace IdentityServer.BrowserTests;

public sealed class PasswordRulesTests
{
    private static readonly string[] _context = ["IdentityServer", "Northwind ID", "alice.jensen", "alice.jensen@contoso.example", "Alice Jensen"];

    [Theory]
    [InlineData("nine lilac umbrellas wait")]
    [InlineData("mY7#kq!vR2pLz9x")]
    [InlineData("tyrosine-gazebo-4711")]
    [InlineData("correct mule paperclip staple")]
    [InlineData("雨天的旧书店里有一只会唱歌的猫")]
    [InlineData("               x  q  w")]
    public void A_long_and_unrelated_password_is_good(string password) =>
        Assert.Equal(PasswordFault.None, PasswordRules.Check(password, _context));

    [Theory]
    [InlineData("", PasswordFault.TooShort)]
    [InlineData("mY7#kq!vR2pLz9", PasswordFault.TooShort)]
    [InlineData("password12345678", PasswordFault.Common)]
    [InlineData("P@ssw0rdP@ssw0rd", PasswordFault.Common)]
    [InlineData("Passw0rd!!!!!!!!", PasswordFault.Common)]
    [InlineData("iloveyouiloveyou", PasswordFault.Common)]
    [InlineData("correct horse battery staple", PasswordFault.Common)]
    [InlineData("letmeinletmein2024", PasswordFault.Common)]
    [InlineData("administrator123", PasswordFault.Common)]
    [InlineData("woaini5201314woaini", PasswordFault.Common)]
    [InlineData("aaaaaaaaaaaaaaaa", PasswordFault.Predictable)]
    [InlineData("abcabcabcabcabcabc", PasswordFault.Predictable)]
    [InlineData("1234567890123456", PasswordFault.Predictable)]
    [InlineData("abcdefghijklmnop1", PasswordFault.Predictable)]
    [InlineData("qwertyuiop[asdfghjkl", PasswordFault.Predictable)]
    [InlineData("1qaz2wsx3edc4rfv5tgb", PasswordFault.Predictable)]
    [InlineData("1999200020012002", PasswordFault.Predictable)]
    [InlineData("alice.jensen.1987", PasswordFault.Personal)]
    [InlineData("northwindnorthwind1", PasswordFault.Personal)]
    [InlineData("identityserver-alice", PasswordFault.Personal)]
    [InlineData("jensen@contoso123", PasswordFault.Personal)]
    public void What_is_tried_first_is_refused_with_its_reason(string password, PasswordFault fault)
    {
        var found = PasswordRules.Check(password, _context);

        // Some are wrong in two ways; which of them is told first does not matter, but too short must be told as such.
        Assert.NotEqual(PasswordFault.None, found);
        Assert.Equal(fault == PasswordFault.TooShort, found == PasswordFault.TooShort);
    }

    [Fact]
    public void Length_is_counted_in_characters_that_people_see_as_one_code_point()
    {
        Assert.Equal(PasswordFault.TooShort, PasswordRules.Check(string.Concat("😀🙈🌵🍋🚲🎻🧭🪁🦔🍄🌋🎲🪴🧩".EnumerateRunes()), []));
        Assert.Equal(PasswordFault.None, PasswordRules.Check("😀🙈🌵🍋🚲🎻🧭🪁🦔🍄🌋🎲🪴🧩🛶", []));
        Assert.Equal(PasswordFault.None, PasswordRules.Check(Varied(PasswordRules.MaxLength), []));
        Assert.Equal(PasswordFault.TooLong, PasswordRules.Check(Varied(PasswordRules.MaxLength + 1), []));

        static string Varied(int length) => string.Concat(Enumerable.Range(0, length).Select(i => (char)('一' + (i * 37))));
    }

    [Fact]
    public void One_password_has_one_hash_however_its_letters_are_composed()
    {
        var hasher = new NormalizingPasswordHasher(Options.Create(new PasswordHasherOptions { IterationCount = 1000 }));
        var user = new User("alice");
        var hash = hasher.HashPassword(user, "crème brûlée à minuit".Normalize(NormalizationForm.FormD));

        Assert.Equal(
            PasswordVerificationResult.Success,
            hasher.VerifyHashedPassword(user, hash, "crème brûlée à minuit".Normalize(NormalizationForm.FormC)));
        Assert.Equal(PasswordVerificationResult.Failed, hasher.VerifyHashedPassword(user, hash, "creme brulee a minuit"));
    }

    [Fact]
    public void More_iterations_ask_for_a_new_hash()
    {
        var weaker = new NormalizingPasswordHasher(Options.Create(new PasswordHasherOptions { IterationCount = 1000 }));
        var stronger = new NormalizingPasswordHasher(Options.Create(new PasswordHasherOptions { IterationCount = 2000 }));
        var user = new User("alice");

        Assert.Equal(
            PasswordVerificationResult.SuccessRehashNeeded,
            stronger.VerifyHashedPassword(user, weaker.HashPassword(user, "nine lilac umbrellas wait"), "nine lilac umbrellas wait"));
    }
}
