namespace WebApp;

/// <summary>What this app must know; from appsettings.json or the environment.</summary>
public sealed class AppSettings
{
    /// <summary>The issuer, exactly as its metadata and tokens name it: no trailing slash.</summary>
    public string Authority { get; set; } = "http://localhost:5000";

    public string ClientId { get; set; } = "demo-web";

    /// <summary>Outside the demo: from the environment or a vault, never from a file that is checked in.</summary>
    public string ClientSecret { get; set; } = "";

    /// <summary>Where the API of src/Samples/Api listens.</summary>
    public string Api { get; set; } = "http://localhost:5001";

    /// <summary>An access token that ends within this time is refreshed before it is used.</summary>
    public TimeSpan RefreshBefore { get; set; } = TimeSpan.FromMinutes(1);
}
