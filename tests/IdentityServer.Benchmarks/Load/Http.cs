namespace IdentityServer.Benchmarks.Load;

internal static class Http
{
    /// <summary>Follows no redirect and keeps no cookie: <see cref="Browser"/> does both where it is wanted.</summary>
    public static HttpClient NewClient() => new(
        new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });
}
