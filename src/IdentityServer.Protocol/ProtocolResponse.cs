using System.Text.Json.Serialization.Metadata;

namespace IdentityServer.Protocol;

/// <summary>Every answer an endpoint can give; the host writes each kind in exactly one place.</summary>
public abstract record ProtocolResponse
{
    private ProtocolResponse() { }

    /// <summary>The browser's session is over: its cookie goes with the answer.</summary>
    public bool ForgetsSession { get; init; }

    /// <summary>A JSON body, never cached.</summary>
    public sealed record Json(object Body, JsonTypeInfo Type) : ProtocolResponse;

    /// <summary>UTF-8 JSON made ahead or by hand, never cached.</summary>
    public sealed record Utf8Json(ReadOnlyMemory<byte> Body) : ProtocolResponse;

    /// <summary>A signed JSON Web Token as the whole body (<c>application/jwt</c> or a type of its own).</summary>
    public sealed record Jwt(string Token, string ContentType = "application/jwt") : ProtocolResponse;

    /// <summary>An error as JSON with its status, and the challenge that goes with it.</summary>
    public sealed record Failure(ProtocolError Error) : ProtocolResponse;

    /// <summary>An error of a protected resource: in <c>WWW-Authenticate: Bearer</c> (RFC 6750 §3).</summary>
    /// <param name="Error">The error; <see langword="null"/> when no token was sent at all.</param>
    public sealed record Challenge(ProtocolError? Error) : ProtocolResponse;

    /// <summary>303 to an address that was checked, with any parameters already in it.</summary>
    public sealed record Redirect(string Location) : ProtocolResponse;

    /// <summary>A page that posts the fields to the address (OAuth 2.0 Form Post Response Mode).</summary>
    public sealed record FormPost(string Action, IReadOnlyList<KeyValuePair<string, string>> Fields) : ProtocolResponse;

    /// <summary>A prepared public document with its ETag and how long it may be kept.</summary>
    public sealed record Document(ReadOnlyMemory<byte> Body, string ContentType, string ETag, TimeSpan MaxAge) : ProtocolResponse;

    /// <summary>A body that is written bit by bit and may go on for long, never cached.</summary>
    /// <param name="ContentType">Of the body.</param>
    /// <param name="WriteAsync">Writes it and returns at its end. When it throws, the connection is cut: nobody shall take a part for the whole.</param>
    public sealed record Live(string ContentType, Func<Stream, CancellationToken, Task> WriteAsync) : ProtocolResponse;

    /// <summary>200 with no body (RFC 7009 §2.2).</summary>
    public sealed record Empty : ProtocolResponse;

    /// <summary>One of our own pages takes over; <see cref="Handle"/> finds the paused request again.</summary>
    public sealed record Page(HostedPage Name, string Handle, string? UiLocales = null) : ProtocolResponse;

    /// <summary>Our error page, status 4xx or 5xx: for errors that must not be sent to an unchecked address.</summary>
    /// <param name="Error">What went wrong.</param>
    /// <param name="ClientId">The client, when it is known.</param>
    public sealed record ErrorPage(ProtocolError Error, string? ClientId = null) : ProtocolResponse;

    public static implicit operator ProtocolResponse(ProtocolError error) => new Failure(error);

    public static ProtocolResponse FromProtocolError(ProtocolError error) => new Failure(error);
}

/// <summary>The hosted pages that a request may be handed to.</summary>
public enum HostedPage
{
    SignIn,
    Consent,
    ChooseAccount,
    StepUp,
    SignOut,
    SignedOut,
}
