using IdentityServer.Commands;

return await CommandLine.RunAsync(args, Terminal.Standard, CancellationToken.None);
