using System.Diagnostics.CodeAnalysis;

namespace IdentityServer.Protocol;

/// <summary>A value, or the protocol error that says why there is none.</summary>
public readonly record struct Result<T>
    where T : class
{
    private readonly T? _value;
    private readonly ProtocolError? _error;

    private Result(T? value, ProtocolError? error) => (_value, _error) = (value, error);

    /// <summary>True with the value, or false with the error; the compiler insists that the caller looks.</summary>
    public bool TryGet([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out ProtocolError? error)
    {
        value = _value;
        error = value is null ? _error ?? ProtocolError.ServerError : null;
        return value is not null;
    }

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(ProtocolError error) => new(null, error);
}
