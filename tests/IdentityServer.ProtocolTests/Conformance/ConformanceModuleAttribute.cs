using System.Reflection;
using Xunit.v3;

namespace IdentityServer.ProtocolTests.Conformance;

/// <summary>The certification plans this server aims at, as the OpenID Foundation calls them.</summary>
public static class Plans
{
    public const string Basic = "Basic OP";
    public const string Config = "Config OP";
    public const string FormPost = "Form Post OP";
    public const string Logout = "RP-Initiated Logout OP";

    /// <summary>Every Basic module is a Form Post module as well.</summary>
    public static TheoryData<string> BasicAndFormPost => [Basic, FormPost];
}

/// <summary>Names the module of the OpenID Foundation's conformance suite that a test class stands for.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ConformanceModuleAttribute(string name) : BeforeAfterTestAttribute
{
    public string Name { get; } = name;

    /// <summary>One of <see cref="Plans"/>. A Basic module belongs to <see cref="Plans.FormPost"/> too.</summary>
    public required string Plan { get; init; }

    /// <summary>What our server is to do, in a few words.</summary>
    public required string Expects { get; init; }

    /// <summary>In the suite a person looks at our page; the test asserts that we stay on it with a 4xx.</summary>
    public bool Reviewed { get; init; }

    /// <summary>The suite skips the module where the thing is not offered; the test asserts that it is not.</summary>
    public bool NotOffered { get; init; }

    public override void After(MethodInfo methodUnderTest, IXunitTest test) =>
        ConformanceResults.Record(Name, TestContext.Current.TestState?.Result == TestResult.Passed);
}
