using IdentityServer.Protocol.Audit;

namespace IdentityServer.Storage.Devices;

/// <summary>Where the browsers are kept that people signed in with.</summary>
public interface IDevices
{
    /// <summary>This person's record of the browser, unless unknown or past its end.</summary>
    ValueTask<Device?> FindAsync(string subject, string browserHash, DateTimeOffset now, CancellationToken ct);

    /// <summary>Those of a person, the one seen last first.</summary>
    ValueTask<IReadOnlyList<Device>> ListAsync(string subject, DateTimeOffset now, CancellationToken ct);

    /// <summary>
    /// The person signed in with it: adds it, or moves its times forward. <see cref="Device.RememberedUntil"/> moves only when the device
    /// given has one.
    /// </summary>
    /// <returns>Its id, which is another than the one given when it was known.</returns>
    ValueTask<string> SeenAsync(Device device, CancellationToken ct);

    /// <summary>The second factor is asked for there again; false when the person has no such device.</summary>
    ValueTask<bool> ForgetFactorAsync(string subject, string id, AuditEvent audit, CancellationToken ct);

    /// <summary>The browser is a stranger's again; false when the person has no such device.</summary>
    ValueTask<bool> ForgetAsync(string subject, string id, AuditEvent audit, CancellationToken ct);
}
