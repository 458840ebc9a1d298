using System.Text;
using Microsoft.AspNetCore.Html;
using QRCoder;

namespace IdentityServer.SignIn;

/// <summary>Draws a QR code as SVG, without style or script of its own.</summary>
public static class QrPicture
{
    /// <param name="text">What it says.</param>
    /// <param name="label">What it is, for whoever cannot see it.</param>
    public static IHtmlContent Of(string text, string label)
    {
        using var generator = new QRCodeGenerator();
        using var code = generator.CreateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var rows = code.ModuleMatrix;
        var path = new StringBuilder();
        for (var y = 0; y < rows.Count; y++)
        {
            for (var x = 0; x < rows.Count; x++)
            {
                if (!rows[y][x])
                {
                    continue;
                }

                var start = x;
                while (x + 1 < rows.Count && rows[y][x + 1])
                {
                    x++;
                }

                path.Append(System.Globalization.CultureInfo.InvariantCulture, $"M{start} {y}h{x - start + 1}v1h-{x - start + 1}z");
            }
        }

        return new HtmlContentBuilder()
            .AppendHtml($"<svg class=\"qr\" viewBox=\"0 0 {rows.Count} {rows.Count}\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"")
            .Append(label)
            .AppendHtml($"\"><path d=\"{path}\"/></svg>");
    }
}
