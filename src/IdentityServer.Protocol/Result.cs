using System.Diagnostics.CodeAnalysis;

namespace IdentityServer.Protocol;

/// <summary>A value, or the protocol error that says why there is none.</summary>
public readonly record struct Result<T>
    where T : class
{
    private readonly T? _value;
    private readonly ProtocolError? _error;

    /// <summary>A success. Interfaces cannot use the implicit conversion, so this is public.</summary>
    public Result(T value) => _value = value;

    private Result(ProtocolError error) => _error = error;

    /// <summary>True with the value, or false with the error; the compiler insists that the caller looks.</summary>
    public bool TryGet([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out ProtocolError? error)
    {
        value = _value;
        error = value is null ? _error ?? ProtocolError.ServerError : null;
        return value is not null;
    }

    public static implicit operator Result<T>(T value) => new(value);

    public static implicit operator Result<T>(ProtocolError error) => new(error);
}
