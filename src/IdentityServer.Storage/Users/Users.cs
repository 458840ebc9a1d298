using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Mail;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Users;

/// <summary>Adds and lists people. Scoped, as ASP.NET Core Identity's <see cref="UserManager{TUser}"/> is, on which it stands.</summary>
#pragma warning disable MA0049 // the room and its one service have the plain name; nobody outside writes both
public sealed class Users(ServerDb db, UserManager<User> manager, TimeProvider clock)
#pragma warning restore MA0049
{
    private const int Attempts = 3;

    /// <summary>Adds the person with their roles and the event that tells of it, all in one transaction.</summary>
    /// <param name="user">The person; at least the user name is set.</param>
    /// <param name="password">Checked by the password rules; <see langword="null"/>: none yet.</param>
    /// <param name="roles">Some of <see cref="Roles.All"/>.</param>
    /// <param name="audit">Subject is filled in here.</param>
    /// <param name="ct">Stops before the commit.</param>
    public Task<IdentityResult> AddAsync(
        User user, string? password, IReadOnlyList<string> roles, AuditEvent audit, CancellationToken ct) =>
        AddAsync(user, password, roles, linkHash: null, audit, ct);

    /// <summary>
    /// Adds the first admin and uses every set-up link up, in one transaction; fails with code <c>SetupLinkClosed</c> when the link may not
    /// be used (any more).
    /// </summary>
    public Task<IdentityResult> AddFirstAdminAsync(
        User user, string password, string linkHash, AuditEvent audit, CancellationToken ct) =>
        AddAsync(user, password, [Roles.Admin], linkHash, audit, ct);

    /// <summary>
    /// Adds somebody who registered themselves, and uses the mailed link up that proved their address, in one transaction; fails with code
    /// <c>LinkClosed</c> when the link may not be used (any more). The password is hashed already: that takes longer than others should wait.
    /// </summary>
    public async Task<IdentityResult> RegisterAsync(User user, string linkHash, string linkKind, AuditEvent audit, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        try
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (!await MailLinkStore.UseAsync(db, linkHash, linkKind, now, ct))
            {
                return RegistrationClosed;
            }

            user.CreatedAt = now;
            user.UpdatedAt = now;
            db.Record(audit with { Subject = user.Id });
            var result = await manager.CreateAsync(user);
            if (result.Succeeded)
            {
                await transaction.CommitAsync(CancellationToken.None);
            }

            return result;
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            // Somebody took the name between the check and the commit: nothing was stored.
            return RegistrationClosed;
        }
        finally
        {
            db.ChangeTracker.Clear();
        }
    }

    /// <summary>Everyone, by user name, with their roles.</summary>
    public async Task<IReadOnlyList<UserEntry>> ListAsync(CancellationToken ct)
    {
        var members = await (
            from member in db.UserRoles
            join role in db.Roles on member.RoleId equals role.Id
            orderby role.Name
            select new { member.UserId, role.Name }).ToListAsync(ct);
        var rolesOf = members.ToLookup(member => member.UserId, member => member.Name!, StringComparer.Ordinal);
        var users = await db.Users.AsNoTracking().OrderBy(user => user.NormalizedUserName).ToListAsync(ct);
        return [.. users.Select(user => new UserEntry(user, [.. rolesOf[user.Id]]))];
    }

    private static IdentityResult RegistrationClosed { get; } = IdentityResult.Failed(
        new IdentityError { Code = "LinkClosed", Description = "This link was used, has expired, or the address has an account by now." });

    private static IdentityResult LinkClosed { get; } = IdentityResult.Failed(
        new IdentityError { Code = "SetupLinkClosed", Description = "This set-up link was used, has expired, or is no longer needed." });

    private async Task<IdentityResult> AddAsync(
        User user, string? password, IReadOnlyList<string> roles, string? linkHash, AuditEvent audit, CancellationToken ct)
    {
        if (roles.Except(Roles.All, StringComparer.Ordinal).FirstOrDefault() is { } unknown)
        {
            throw new ArgumentException($"There is no role '{unknown}'.", nameof(roles));
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryAddAsync(user, password, roles, linkHash, audit, ct);
            }
            catch (DbUpdateException error) when (attempt < Attempts && UniqueViolation.Is(error))
            {
                // Somebody added the same name, or the roles for the first time, between the check and the commit: nothing was
                // stored, and the next check sees it.
            }
            finally
            {
                // Nothing of a refused person may be saved by whoever uses this context next.
                db.ChangeTracker.Clear();
            }
        }
    }

    private async Task<IdentityResult> TryAddAsync(
        User user, string? password, IReadOnlyList<string> roles, string? linkHash, AuditEvent audit, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (linkHash is not null)
        {
            if (!await SetupLinkStore.Open(db, linkHash, now).AnyAsync(ct))
            {
                return LinkClosed;
            }

            // All of them, as there may be links of other nodes. UsedAt is a concurrency token: who saves second finds a link changed,
            // and saves nothing.
            foreach (var link in await db.SetupLinks.Where(link => link.UsedAt == null).ToListAsync(ct))
            {
                link.UsedAt = now;
            }
        }

        user.CreatedAt = now;
        user.UpdatedAt = now;
        var ids = await RoleIdsAsync(roles, ct);
        db.UserRoles.AddRange(ids.Select(id => new IdentityUserRole<string> { UserId = user.Id, RoleId = id }));
        db.Record(audit with { Subject = user.Id });
        ct.ThrowIfCancellationRequested();

        // The manager checks, hashes, and saves once: what is tracked here goes into the same transaction.
        try
        {
            return password is null ? await manager.CreateAsync(user) : await manager.CreateAsync(user, password);
        }
        catch (DbUpdateConcurrencyException) when (linkHash is not null)
        {
            return LinkClosed;
        }
    }

    // The four roles become rows when the first of them is needed.
    private async Task<List<string>> RoleIdsAsync(IReadOnlyList<string> names, CancellationToken ct)
    {
        if (names.Count == 0)
        {
            return [];
        }

        var known = await db.Roles.Where(role => Roles.All.Contains(role.Name)).ToListAsync(ct);
        foreach (var name in Roles.All.Except(known.Select(role => role.Name!), StringComparer.Ordinal))
        {
            // By name, so that two who add the roles at once do so in one order, and do not wait for each other.
            known.Add(db.Roles.Add(new Role(name) { Id = name }).Entity);
        }

        return [.. known.Where(role => names.Contains(role.Name, StringComparer.Ordinal)).Select(role => role.Id)];
    }
}

/// <summary>A person in a list.</summary>
public sealed record UserEntry(User User, IReadOnlyList<string> Roles);
