using IdentityServer.Storage.SignIns;
using Microsoft.AspNetCore.Identity;

namespace IdentityServer.Passkeys;

/// <summary>Why a passkey was refused, in one word for the audit log (docs/passkeys.md, "Reasons"). Nothing is decided by it.</summary>
internal static class PasskeyReasons
{
    public const string UnknownCredential = "unknown_credential";
    public const string CounterRegress = "counter_regress";
    public const string AlreadyRegistered = "already_registered";
    public const string TooMany = "too_many";
    public const string OtherPerson = "other_person";
    public const string Malformed = "malformed";

    // Identity's verifier tells its failures apart by their text alone. The first that fits; a test has a case for each.
    private static readonly (string Said, string Reason)[] Words =
    [
        ("Expected credential type", Malformed),
        ("'type' field", "wrong_type"),
        ("challenge does not match", "wrong_challenge"),
        ("invalid origin", "wrong_origin"),
        ("Relying Party ID hash", "wrong_rp_id"),
        ("'UserPresent' flag", "not_present"),
        ("'UserVerified' flag", "not_verified"),
        ("'BackupEligible' flag", "wrong_backup_flags"),
        ("for backup", "wrong_backup_flags"),
        ("supported algorithms", "unknown_algorithm"),
        ("does not belong to", UnknownCredential),
        ("user handle", "wrong_user_handle"),
        ("signature counter", CounterRegress),
        ("assertion signature", "wrong_signature"),
        ("already registered", AlreadyRegistered),
        ("JSON", Malformed),
        ("authenticator data", "bad_cbor"),
        ("attest", "bad_cbor"),
        ("public key", "bad_cbor"),
        ("credential ID", "bad_cbor"),
    ];

    public static string Of(PasskeyException failure)
    {
        foreach (var (said, reason) in Words)
        {
            if (failure.Message.Contains(said, StringComparison.Ordinal))
            {
                return reason;
            }
        }

        return Malformed;
    }

    public static string Of(CeremonyFault fault) => fault switch
    {
        CeremonyFault.OtherBrowser => "other_browser",
        CeremonyFault.OtherKind => "other_kind",
        CeremonyFault.Expired => "expired",
        CeremonyFault.Replayed => "replayed",
        _ => "not_under_way",
    };
}
