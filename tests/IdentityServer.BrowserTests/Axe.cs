using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>axe looks at a page, for what a machine can find wrong in it.</summary>
internal static class Axe
{
    private static readonly string[] _standards = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

    private static readonly string _script = new BundledAxeScriptProvider().GetScript();

    /// <summary>What breaks a rule of WCAG 2.2 AA or a practice that axe recommends, each with the elements that do.</summary>
    /// <param name="page">The page, as it is shown.</param>
    /// <param name="judgesContrast">Also look at colours. Forced ones are the person's own; axe would compare those we had chosen.</param>
    /// <remarks>
    /// Run in the page itself, which has no frames, and asked for nothing but what is wrong: the wrapper made for Playwright opens a second
    /// page each time and carries home every element that is right, for which it takes six times as long.
    /// </remarks>
    public static async Task<IReadOnlyList<string>> FindViolationsAsync(IPage page, bool judgesContrast = true)
    {
        if (!await page.EvaluateAsync<bool>("'axe' in window"))
        {
            await page.EvaluateAsync(_script);
        }

        return await page.EvaluateAsync<string[]>(
            """
            async ([tags, judgesContrast]) => {
              const { violations } = await axe.run(document, {
                runOnly: { type: 'tag', values: tags },
                rules: { 'color-contrast': { enabled: judgesContrast } },
                resultTypes: ['violations'],
              });
              return violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' | ')}`);
            }
            """,
            new object[] { _standards, judgesContrast });
    }
}
