using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace IdentityServer.Testing;

/// <summary>Keeps what a server in this process logs, so that tests can look for what must not be there.</summary>
public sealed class ServerLog : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Line)> _lines = new();

    /// <summary>Every line so far, with the exceptions.</summary>
    public string Text => string.Join('\n', _lines.Select(entry => entry.Line));

    /// <summary>Lines at Error or above.</summary>
    public IReadOnlyList<string> Errors =>
        [.. _lines.Where(entry => entry.Level >= LogLevel.Error).Select(entry => entry.Line)];

    /// <summary>Forgets every line, for tests that look at memory.</summary>
    public void Clear() => _lines.Clear();

    public ILogger CreateLogger(string categoryName) => new Logger(_lines, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(ConcurrentQueue<(LogLevel Level, string Line)> lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            lines.Enqueue((logLevel, $"{logLevel} {category}: {formatter(state, exception)} {exception}"));
    }
}
