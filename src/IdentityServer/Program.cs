using IdentityServer;

var app = ServerHost.Build(args);
await ServerHost.PrepareAsync(app, CancellationToken.None);
await app.RunAsync();
