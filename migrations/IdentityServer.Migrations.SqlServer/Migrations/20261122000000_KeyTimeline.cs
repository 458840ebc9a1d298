using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace IdentityServer.Migrations.SqlServer.Migrations
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
                type: "nvarchar(400)",
                maxLength: 400,
                nullable: true,
                collation: "Latin1_General_100_BIN2");

            migrationBuilder.AddColumn<long>(
                name: "KeyCacheLifetime",
                table: "Clients",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "RequireReadiness",
                table: "Clients",
                type: "bit",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "KeyActivations",
                columns: table => new
                {
                    Id = table.Column<string>(type: "varchar(64)", unicode: false, maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    Algorithm = table.Column<string>(type: "varchar(64)", unicode: false, maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    Kid = table.Column<string>(type: "varchar(64)", unicode: false, maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    Predecessor = table.Column<string>(type: "varchar(64)", unicode: false, maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    At = table.Column<long>(type: "bigint", nullable: false),
                    AwaitsReadiness = table.Column<bool>(type: "bit", nullable: false),
                    ReleasedAt = table.Column<long>(type: "bigint", nullable: true)
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
                    ClientId = table.Column<string>(type: "varchar(200)", unicode: false, maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    Kid = table.Column<string>(type: "varchar(64)", unicode: false, maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    FirstAt = table.Column<long>(type: "bigint", nullable: false),
                    LastAt = table.Column<long>(type: "bigint", nullable: false),
                    Count = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_KeyFetches", x => new { x.ClientId, x.Kid });
                });

            migrationBuilder.CreateTable(
                name: "KeyPlans",
                columns: table => new
                {
                    Algorithm = table.Column<string>(type: "varchar(64)", unicode: false, maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    Version = table.Column<int>(type: "int", nullable: false),
                    Every = table.Column<long>(type: "bigint", nullable: true),
                    Cron = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: true, collation: "Latin1_General_100_BIN2"),
                    TimeZone = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    IsForced = table.Column<bool>(type: "bit", nullable: false),
                    SkippedThrough = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_KeyPlans", x => x.Algorithm);
                });

            migrationBuilder.CreateTable(
                name: "KeyUses",
                columns: table => new
                {
                    Kid = table.Column<string>(type: "varchar(64)", unicode: false, maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    ClientId = table.Column<string>(type: "varchar(200)", unicode: false, maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    Until = table.Column<long>(type: "bigint", nullable: false),
                    Count = table.Column<long>(type: "bigint", nullable: false)
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
                INSERT INTO [KeyActivations] ([Id], [Algorithm], [Kid], [Predecessor], [At], [AwaitsReadiness])
                SELECT [Kid], [Algorithm], [Kid], [Predecessor], [ActiveFrom], 0 FROM [SigningKeys];
                """);
            migrationBuilder.Sql(
                """
                INSERT INTO [KeyPlans] ([Algorithm], [Version], [TimeZone], [IsForced])
                SELECT DISTINCT [Algorithm], 1, 'UTC', 0 FROM [SigningKeys];
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
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<string>(
                name: "Predecessor",
                table: "SigningKeys",
                type: "varchar(64)",
                unicode: false,
                maxLength: 64,
                nullable: false,
                defaultValue: "",
                collation: "Latin1_General_100_BIN2");

            migrationBuilder.CreateIndex(
                name: "IX_SigningKeys_Algorithm_Predecessor",
                table: "SigningKeys",
                columns: new[] { "Algorithm", "Predecessor" },
                unique: true);
        }
    }
}
