using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace IdentityServer.Migrations.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class KeyTimeline : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "RevokedBecause",
                table: "SigningKeys",
                type: "TEXT",
                maxLength: 400,
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "KeyCacheLifetime",
                table: "Clients",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "RequireReadiness",
                table: "Clients",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "KeyActivations",
                columns: table => new
                {
                    Id = table.Column<string>(type: "TEXT", unicode: false, maxLength: 64, nullable: false),
                    Algorithm = table.Column<string>(type: "TEXT", unicode: false, maxLength: 64, nullable: false),
                    Kid = table.Column<string>(type: "TEXT", unicode: false, maxLength: 64, nullable: false),
                    Predecessor = table.Column<string>(type: "TEXT", unicode: false, maxLength: 64, nullable: false),
                    At = table.Column<long>(type: "INTEGER", nullable: false),
                    AwaitsReadiness = table.Column<bool>(type: "INTEGER", nullable: false),
                    ReleasedAt = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_KeyActivations", x => x.Id);
                    table.ForeignKey(
                        name: "FK_KeyActivations_SigningKeys_Kid",
                        column: x => x.Kid,
                        principalTable: "SigningKeys",
                        principalColumn: "Kid",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "KeyFetches",
                columns: table => new
                {
                    ClientId = table.Column<string>(type: "TEXT", unicode: false, maxLength: 200, nullable: false),
                    Kid = table.Column<string>(type: "TEXT", unicode: false, maxLength: 64, nullable: false),
                    FirstAt = table.Column<long>(type: "INTEGER", nullable: false),
                    LastAt = table.Column<long>(type: "INTEGER", nullable: false),
                    Count = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_KeyFetches", x => new { x.ClientId, x.Kid });
                });

            migrationBuilder.CreateTable(
                name: "KeyPlans",
                columns: table => new
                {
                    Algorithm = table.Column<string>(type: "TEXT", unicode: false, maxLength: 64, nullable: false),
                    Version = table.Column<int>(type: "INTEGER", nullable: false),
                    Every = table.Column<long>(type: "INTEGER", nullable: true),
                    Cron = table.Column<string>(type: "TEXT", maxLength: 200, nullable: true),
                    TimeZone = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    IsForced = table.Column<bool>(type: "INTEGER", nullable: false),
                    SkippedThrough = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_KeyPlans", x => x.Algorithm);
                });

            migrationBuilder.CreateTable(
                name: "KeyUses",
                columns: table => new
                {
                    Kid = table.Column<string>(type: "TEXT", unicode: false, maxLength: 64, nullable: false),
                    ClientId = table.Column<string>(type: "TEXT", unicode: false, maxLength: 200, nullable: false),
                    Until = table.Column<long>(type: "INTEGER", nullable: false),
                    Count = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_KeyUses", x => new { x.Kid, x.ClientId, x.Until });
                });

            migrationBuilder.CreateIndex(
                name: "IX_KeyActivations_Algorithm_Predecessor",
                table: "KeyActivations",
                columns: new[] { "Algorithm", "Predecessor" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_KeyActivations_Kid",
                table: "KeyActivations",
                column: "Kid");

            migrationBuilder.CreateIndex(
                name: "IX_KeyUses_Until",
                table: "KeyUses",
                column: "Until");

            // Until now a key was its own and only activation. No server with the old columns was ever released, so they go at once.
            migrationBuilder.Sql(
                """
                INSERT INTO "KeyActivations" ("Id", "Algorithm", "Kid", "Predecessor", "At", "AwaitsReadiness")
                SELECT "Kid", "Algorithm", "Kid", "Predecessor", "ActiveFrom", 0 FROM "SigningKeys";
                """);
            migrationBuilder.Sql(
                """
                INSERT INTO "KeyPlans" ("Algorithm", "Version", "TimeZone", "IsForced")
                SELECT DISTINCT "Algorithm", 1, 'UTC', 0 FROM "SigningKeys";
                """);

            migrationBuilder.DropIndex(
                name: "IX_SigningKeys_Algorithm_Predecessor",
                table: "SigningKeys");

            migrationBuilder.DropColumn(
                name: "ActiveFrom",
                table: "SigningKeys");

            migrationBuilder.DropColumn(
                name: "Predecessor",
                table: "SigningKeys");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "KeyActivations");

            migrationBuilder.DropTable(
                name: "KeyFetches");

            migrationBuilder.DropTable(
                name: "KeyPlans");

            migrationBuilder.DropTable(
                name: "KeyUses");

            migrationBuilder.DropColumn(
                name: "RevokedBecause",
                table: "SigningKeys");

            migrationBuilder.DropColumn(
                name: "KeyCacheLifetime",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "RequireReadiness",
                table: "Clients");

            migrationBuilder.AddColumn<long>(
                name: "ActiveFrom",
                table: "SigningKeys",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<string>(
                name: "Predecessor",
                table: "SigningKeys",
                type: "TEXT",
                unicode: false,
                maxLength: 64,
                nullable: false,
                defaultValue: "");

            migrationBuilder.CreateIndex(
                name: "IX_SigningKeys_Algorithm_Predecessor",
                table: "SigningKeys",
                columns: new[] { "Algorithm", "Predecessor" },
                unique: true);
        }
    }
}
