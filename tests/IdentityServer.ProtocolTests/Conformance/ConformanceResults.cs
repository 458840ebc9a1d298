using System.Collections.Concurrent;

namespace IdentityServer.ProtocolTests.Conformance;

/// <summary>How the modules that ran in this process went; docs/conformance.md is held against it.</summary>
public static class ConformanceResults
{
    private static readonly ConcurrentDictionary<string, bool> _passed = new(StringComparer.Ordinal);

    public static void Record(string module, bool passed) =>
        _passed.AddOrUpdate(module, passed, (_, before) => before && passed);

    /// <summary>True or false when the module ran, <see langword="null"/> when it did not.</summary>
    public static bool? Passed(string module) => _passed.TryGetValue(module, out var passed) ? passed : null;
}
