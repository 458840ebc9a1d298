using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Data.SqlClient;

namespace IdentityServer.StorageTests.SqlServer;

/// <summary>
/// SqlClient loads the assembly Microsoft.SqlServer.Server as soon as a command with a parameter is written to a connection, not
/// before: so one is, to a listener that knows just enough of TDS (MS-TDS) to be signed in to.
/// </summary>
public sealed class StandInTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_command_with_parameters_reaches_the_server()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var server = AnswerAsync(listener);

        await using var connection = new SqlConnection(new SqlConnectionStringBuilder
        {
            DataSource = $"tcp:127.0.0.1,{((IPEndPoint)listener.LocalEndpoint).Port}",
            UserID = "sa",
            Password = "nobody-checks",
            Encrypt = SqlConnectionEncryptOption.Optional,
            Pooling = false,
            ConnectRetryCount = 0,
        }.ToString());
        await connection.OpenAsync(Ct);
        await using var command = new SqlCommand("SELECT @number, @text, @bytes", connection);
        command.Parameters.AddWithValue("@number", 7L);
        command.Parameters.AddWithValue("@text", "müller");
        command.Parameters.AddWithValue("@bytes", new byte[] { 1, 2, 3 });
        await command.ExecuteNonQueryAsync(Ct);
        await connection.CloseAsync();

        var call = Convert.ToHexString(await server);
        foreach (var sent in new[] { "@number", "@text", "müller", "@bytes" })
        {
            Assert.Contains(Convert.ToHexString(Encoding.Unicode.GetBytes(sent)), call, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_stand_in_is_the_assembly_that_the_driver_names()
    {
        var wanted = Assert.Single(
            typeof(SqlConnection).Assembly.GetReferencedAssemblies(), name => name.Name == "Microsoft.SqlServer.Server");

        var found = typeof(global::Microsoft.SqlServer.Server.SqlUserDefinedTypeAttribute).Assembly.GetName();

        Assert.Equal(wanted.FullName, found.FullName);
    }

    /// <summary>Plays the server for one connection and returns the remote procedure call it was sent.</summary>
    private static async Task<byte[]> AnswerAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync(Ct);
        await using var stream = client.GetStream();

        // PRELOGIN: version 16, and no encryption to be had.
        await ReceiveAsync(stream, type: 0x12);
        await SendAsync(stream, [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 16, 0, 0, 0, 0, 0, 2]);

        // LOGIN7: answered by the collation in force, the acknowledgement (TDS 7.4), and DONE.
        await ReceiveAsync(stream, type: 0x10);
        byte[] collation = [0xE3, 8, 0, 7, 5, 0x09, 0x04, 0xD0, 0x00, 0x34, 0];
        byte[] name = [4, .. Encoding.Unicode.GetBytes("Test")];
        byte[] acknowledgement = [0xAD, (byte)(9 + name.Length), 0, 1, 0x74, 0, 0, 4, .. name, 16, 0, 0, 0];
        await SendAsync(stream, [.. collation, .. acknowledgement, .. Done(0xFD)]);

        var call = await ReceiveAsync(stream, type: 0x03);
        await SendAsync(stream, [0x79, 0, 0, 0, 0, .. Done(0xFE)]);
        return call;
    }

    private static byte[] Done(byte token) => [token, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private static async Task<byte[]> ReceiveAsync(NetworkStream stream, byte type)
    {
        var message = new List<byte>();
        var header = new byte[8];
        do
        {
            await stream.ReadExactlyAsync(header, Ct);
            Assert.Equal(type, header[0]);
            var payload = new byte[BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(2)) - header.Length];
            await stream.ReadExactlyAsync(payload, Ct);
            message.AddRange(payload);
        }
        while ((header[1] & 1) == 0);

        return [.. message];
    }

    private static async Task SendAsync(NetworkStream stream, byte[] payload)
    {
        byte[] header = [0x04, 1, 0, 0, 0, 0, 1, 0];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(header.Length + payload.Length));
        await stream.WriteAsync(header.Concat(payload).ToArray(), Ct);
    }
}
